import { readFile } from 'node:fs/promises';
import { deriveCallKey, signCallIdentity } from '../platform/identity/call-identity';
import { Lifecycle, stopOnSignals } from '../platform/lifecycle';
import { createLogger } from '../platform/logger';
import { readOrMakeSecret } from '../platform/secret';
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
  const gateway = await createGateway({
    supergraphSdl: await readFile(environment.supergraphFile, 'utf8'),
    remoteSubgraph: environment.remoteSubgraph,
    ...(await identityOptions(environment)),
    forwardAuthorization: environment.forwardAuthorization,
    logger,
    development: !environment.production,
    corsOrigins: environment.corsOrigins,
    // A little more than a subgraph with the same setting allows, so that its typed answer comes first.
    limits: { maxFileBytes: environment.maxFileBytes + 2 ** 20, deadlineMs: environment.deadlineMs },
  });
  const { url } = await gateway.listen(environment.port, environment.host);
  lifecycle.onStop('gateway', () => gateway.stop(), STOP_LIMIT_MS);
  stopOnSignals(lifecycle, logger);
  process.stdout.write(`gateway listens on ${url}/graphql\n`);
}

async function identityOptions({
  identity,
}: GatewayEnvironment): Promise<Pick<GatewayOptions, 'authenticate' | 'signCall'>> {
  if (!identity) return {};
  const secret = identity.secret ?? (await readOrMakeSecret(identity.dataDirectory));
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

/** A sentence a person can act on, for the usual reasons the gateway cannot start. */
function startFailure(error: unknown): string {
  const { code, port, path, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE')
    return `port ${port} is taken by another program. Choose another one with --port N or PORT=N.`;
  if (code === 'EACCES' && port)
    return `port ${port} may not be opened by this user. Choose one above 1023 with --port N or PORT=N.`;
  if (code === 'ENOENT')
    return `there is no supergraph at ${path}. Compose it with "npm run compose", or name one with --supergraph FILE.`;
  return error instanceof Error ? message : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`The gateway could not start: ${startFailure(error)}\n`);
  process.exit(1);
});
