import { EnvironmentReader, readPlatformEnvironment, type Env } from '../environment';
import { deriveCallKey } from '../identity/call-identity';
import { Lifecycle, stopOnSignals } from '../lifecycle';
import { createLogger, type Logger } from '../logger';
import { openPlatform, type Platform } from '../platform';
import { startFailure } from '../start-failure';
import { serveSubgraph } from './serve';
import type { Subgraph } from './subgraph';

/** Where the files subgraph is reached unless FILES_PUBLIC_URL says otherwise. */
const DEFAULT_FILES_URL = 'http://localhost:4002';

export interface SubgraphProcess {
  name: string;
  defaultPort: number;
  /** Builds the subgraph; what it opens itself it registers with the lifecycle. */
  create: (platform: Platform, lifecycle: Lifecycle) => Subgraph;
}

/**
 * The `main` of a subgraph that runs in a process of its own: reads the environment (PORT, HOST, PUBLIC_URL, FILES_PUBLIC_URL and those of
 * `readPlatformEnvironment`), opens the platform, serves until a signal, and stops in order. A failed start prints one
 * clear message and exits with code 1.
 */
export async function runSubgraph(definition: SubgraphProcess, env: Env): Promise<void> {
  let logger: Logger = createLogger({ name: definition.name, level: 'error' });
  try {
    const reader = new EnvironmentReader(env);
    const environment = readPlatformEnvironment(reader);
    const port = reader.wholeNumber('PORT', definition.defaultPort, { min: 0, max: 65_535 });
    const host = reader.text('HOST') ?? '127.0.0.1';
    const givenUrl = reader.url('PUBLIC_URL', ['http:', 'https:']);
    const filesUrl = reader.url('FILES_PUBLIC_URL', ['http:', 'https:']) ?? DEFAULT_FILES_URL;
    reader.check();

    logger = createLogger({ name: definition.name, level: environment.logLevel });
    const lifecycle = new Lifecycle(logger);
    stopOnSignals(lifecycle, logger);
    let listeningOn = port;
    const publicUrl = (): string => givenUrl ?? `http://localhost:${listeningOn}`;
    const platform = await openPlatform({
      environment,
      lifecycle,
      logger,
      applicationName: `sauti:${definition.name}`,
      publicUrl,
      filesUrl: definition.name === 'files' ? publicUrl : () => filesUrl,
    });
    const subgraph = definition.create(platform, lifecycle);
    const server = await serveSubgraph({
      subgraph,
      callKey: deriveCallKey(platform.secret, definition.name),
      host,
      port,
      logger,
    });
    lifecycle.onStop('http server', async () => server[Symbol.asyncDispose]());
    listeningOn = server.port;
    process.stdout.write(`${definition.name} listens on http://${host}:${server.port}/graphql\n`);
  } catch (error) {
    process.stderr.write(`${definition.name} could not start: ${startFailure(error)}\n`);
    process.exit(1);
  }
}
