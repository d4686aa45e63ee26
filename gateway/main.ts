import { readFile } from 'node:fs/promises';
import { deriveCallKey, signCallIdentity } from '../platform/identity/call-identity';
import { Lifecycle, stopOnSignals } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { readOrMakeSecret } from '../platform/secret';
import { startFailure } from '../platform/start-failure';
import { processEnvironment, readGatewayEnvironment, type GatewayEnvironment } from './environment';
import type { GatewayOptions } from './options';
import { createGateway } from './server';
import { createAuthenticator } from './viewer/authenticator';
import { fetchJwks } from './viewer/fetch-jwks';

const STOP_LIMIT_MS = 15_000;

/** The gateway as a process of its own: over this repository's supergraph, or over any with `--supergraph FILE`. */
async function main(): Promise<void> {
  const environment = readGatewayEnvironment(process.argv.slice(2), processEnvironment);
  const logger = createLogger({ name: 'gateway', level: environment.logLevel });
  const lifecycle = new Lifecycle(logger);
  const supergraphSdl = await readSupergraph(environment.supergraphFile);
  const gateway = await createGateway({
    supergraphSdl,
    remoteSubgraph: environment.remoteSubgraph,
    ...(await identityOptions(environment)),
    forwardAuthorization: environment.forwardAuthorization,
    logger,
    development: !environment.production,
    corsOrigins: environment.corsOrigins,
    // A little more than a subgraph with the same setting allows, so that its typed answer comes first.
    limits: { maxFileBytes: environment.maxFileBytes + 2 ** 20, deadlineMs: environment.deadlineMs },
  }).catch((error: Error) => {
    throw new Error(`${environment.supergraphFile} cannot be served as a supergraph: ${error.message}`, {
      cause: error,
    });
  });
  const { url } = await gateway.listen(environment.port, environment.host);
  lifecycle.onStop('gateway', () => gateway.stop(), STOP_LIMIT_MS);
  stopOnSignals(lifecycle, logger);
  process.stdout.write(`gateway listens on ${url}/graphql\n`);
}

async function identityOptions({
  identity,
  secret: given,
  dataDirectory,
}: GatewayEnvironment): Promise<Pick<GatewayOptions, 'authenticate' | 'signCall'>> {
  if (!identity) return {};
  const secret = given ?? (await readOrMakeSecret(dataDirectory));
  const keys = new Map<string, Buffer>();
  const keyOf = (subgraph: string): Buffer => {
    const key = keys.get(subgraph) ?? deriveCallKey(secret, subgraph);
    keys.set(subgraph, key);
    return key;
  };
  return {
    authenticate: createAuthenticator({ jwks: () => fetchJwks(identity.jwksUrl) }),
    signCall: (subgraph, caller, body) => signCallIdentity(keyOf(subgraph), subgraph, caller, body),
  };
}

async function readSupergraph(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      `there is no supergraph at ${file}. Compose it with "npm run compose", or name one with --supergraph FILE.`,
      { cause: error },
    );
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`The gateway could not start: ${startFailure(error, '--port N or PORT=N')}\n`);
  process.exit(1);
});
