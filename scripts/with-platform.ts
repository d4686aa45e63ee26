import { EnvironmentReader, readPlatformEnvironment } from '../platform/environment';
import { Lifecycle } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { openPlatform, type Platform } from '../platform/platform';
import { startFailure } from '../platform/start-failure';

/** What the user of a command did wrong; its message says what to do. */
export class UsageError extends Error {}

/**
 * Runs a command beside the running system: opens the platform from the environment, joining an embedded database that
 * runs, and closes it. A failure is one line on stderr and exit code 1.
 */
export async function withPlatform(name: string, work: (platform: Platform) => Promise<void>): Promise<void> {
  try {
    const reader = new EnvironmentReader(process.env);
    const environment = readPlatformEnvironment(reader);
    reader.check();
    const logger = createLogger({ name, level: 'error' });
    const lifecycle = new Lifecycle(logger);
    try {
      const opening = { environment, lifecycle, logger, applicationName: `sauti:${name}`, publicUrl: () => '' };
      await work(await openPlatform(opening));
    } finally {
      await lifecycle.stop();
    }
  } catch (error) {
    process.stderr.write(`${error instanceof UsageError ? error.message : startFailure(error)}\n`);
    process.exitCode = 1;
  }
}
