import { EnvironmentReader, readPlatformEnvironment } from '../platform/environment';
import { Lifecycle } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { openPlatform, type Platform } from '../platform/platform';
import { startFailure } from '../platform/start-failure';

/** What the user of a command did wrong; its message says what to do. */
export class UsageError extends Error {}

/** A command beside the running system: what its arguments say, and what is done with that. */
export interface Command<Options> {
  name: string;
  /** Throws {@link UsageError}. */
  read: (args: string[]) => Options;
  run: (platform: Platform, options: Options) => Promise<void>;
}

/**
 * Runs a command with the arguments of this process: opens the platform from the environment, joining an embedded database
 * that runs, and closes it. A failure is told on stderr, and the exit code is 1.
 */
export async function runCommand<Options>({ name, read, run }: Command<Options>): Promise<void> {
  try {
    const options = read(process.argv.slice(2));
    const reader = new EnvironmentReader(process.env);
    const environment = readPlatformEnvironment(reader);
    reader.check();
    const logger = createLogger({ name, level: 'error' });
    const lifecycle = new Lifecycle(logger);
    try {
      const opening = { environment, lifecycle, logger, applicationName: `sauti:${name}`, publicUrl: () => '' };
      await run(await openPlatform(opening), options);
    } finally {
      await lifecycle.stop();
    }
  } catch (error) {
    process.stderr.write(`${error instanceof UsageError ? error.message : startFailure(error)}\n`);
    process.exitCode = 1;
  }
}
