import path from 'node:path';
import { deriveCallKey, signCallIdentity } from '../platform/identity/call-identity';
import { Lifecycle, stopOnSignals } from '../platform/lifecycle';
import { createLogger, type Logger } from '../platform/logger';
import { readOrMakeSecret } from '../platform/secret';
import { startFailure } from '../platform/start-failure';
import { composedSupergraph } from './config/composed-supergraph';
import { configOptions } from './config/config-options';
import { loadGatewayConfig } from './config/load-config';
import type { GatewayConfig } from './config/schema';
import { checkSubgraphNames } from './config/subgraph-names';
import { supergraphFile } from './config/supergraph-file';
import { followSupergraph, type SupergraphSource } from './config/supergraph-source';
import {
  gatewayConfigFile,
  processEnvironment,
  readGatewayEnvironment,
  type GatewayEnvironment,
  type SupergraphOrigin,
} from './environment';
import { edgeOptions } from './edge-environment';
import { subgraphSettings } from './fetch/transports';
import { DEFAULT_GATEWAY_LIMITS, type GatewayOptions, type SignCall } from './options';
import { createGateway, type Gateway } from './server';
import { fetchAccessNews } from './viewer/access-news';
import { createAuthenticator } from './viewer/authenticator';
import { fetchJwks } from './viewer/fetch-jwks';

const STOP_LIMIT_MS = 15_000;

/**
 * The gateway as a process of its own: over this repository's supergraph, or over any with `--supergraph FILE` or
 * `--config FILE`. A supergraph that changes is taken up while it runs; SIGHUP reads it again at once.
 */
async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const config = loadGatewayConfig(gatewayConfigFile(argv, processEnvironment));
  const environment = readGatewayEnvironment(argv, processEnvironment, config);
  const logger = createLogger({ name: 'gateway', level: environment.logLevel });
  const lifecycle = new Lifecycle(logger);
  const known = new Set<string>();
  const options = await gatewayOptions(config, environment, { lifecycle, logger }, (name) => known.add(name));
  const source = await openSupergraph(environment.supergraph, options);
  lifecycle.onStop('supergraph', () => source.stop(), STOP_LIMIT_MS);
  const gateway = await createGateway({ ...options, supergraphSdl: source.sdl }).catch((cause: Error) => {
    throw new Error(`${nameOf(environment.supergraph)} cannot be served as a supergraph: ${cause.message}`, { cause });
  });
  checkSubgraphNames(config, [...known]);
  const { url } = await gateway.listen(environment.port, environment.host);
  lifecycle.onStop('gateway', () => gateway.stop(), STOP_LIMIT_MS);
  stopOnSignals(lifecycle, logger);
  const following = followSupergraph(source, (sdl) => takeUp(gateway, sdl), logger);
  process.on('SIGHUP', () => void following.reload());
  process.stdout.write(`gateway listens on ${url}/graphql\n`);
}

async function takeUp(gateway: Gateway, sdl: string): Promise<void> {
  await gateway.update(sdl);
  process.stdout.write('gateway serves the supergraph as it is now\n');
}

async function gatewayOptions(
  config: GatewayConfig,
  environment: GatewayEnvironment,
  process: { lifecycle: Lifecycle; logger: Logger },
  onSubgraph: (name: string) => void,
): Promise<Omit<GatewayOptions, 'supergraphSdl'>> {
  const { remoteSubgraph, limits, planning, ...options } = configOptions(config);
  // Sauti's own subgraphs have the same setting: theirs comes first, because its answer is a typed one.
  const maxFileBytes = environment.maxFileBytes + (environment.identity ? 2 ** 20 : 0);
  return {
    ...options,
    remoteSubgraph(name) {
      onSubgraph(name);
      return { ...remoteSubgraph?.(name), ...environment.remoteSubgraph(name) };
    },
    ...(await identityOptions(environment)),
    // Beside Sauti's own data there is a place for plans; a gateway for others' subgraphs is told one, or keeps none.
    planning: {
      ...(environment.identity ? { store: path.join(environment.dataDirectory, 'plans') } : {}),
      ...planning,
    },
    forwardAuthorization: environment.forwardAuthorization,
    ...edgeOptions(environment.edge, process),
    logger: process.logger,
    development: !environment.production,
    corsOrigins: environment.corsOrigins,
    limits: { ...limits, maxFileBytes, deadlineMs: environment.deadlineMs },
  };
}

async function openSupergraph(
  origin: SupergraphOrigin,
  options: Omit<GatewayOptions, 'supergraphSdl'>,
): Promise<SupergraphSource> {
  if ('file' in origin) return supergraphFile(origin.file);
  const settingsOf = (name: string) => subgraphSettings(name, options, DEFAULT_GATEWAY_LIMITS);
  return composedSupergraph({ ...origin, settingsOf, logger: options.logger });
}

function nameOf(origin: SupergraphOrigin): string {
  return 'file' in origin ? origin.file : 'what was composed of the subgraphs';
}

async function identityOptions({
  identity,
  secret: given,
  dataDirectory,
}: GatewayEnvironment): Promise<Pick<GatewayOptions, 'authenticate' | 'accessChanges' | 'signCall'>> {
  if (!identity) return {};
  const secret = given ?? (await readOrMakeSecret(dataDirectory));
  const keys = new Map<string, Buffer>();
  const keyOf = (subgraph: string): Buffer => {
    const key = keys.get(subgraph) ?? deriveCallKey(secret, subgraph);
    keys.set(subgraph, key);
    return key;
  };
  const signCall: SignCall = (subgraph, caller, body) => signCallIdentity(keyOf(subgraph), subgraph, caller, body);
  return {
    authenticate: createAuthenticator({ jwks: () => fetchJwks(identity.jwksUrl) }),
    accessChanges: fetchAccessNews({ jwksUrl: identity.jwksUrl, signCall }),
    signCall,
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`The gateway could not start: ${startFailure(error, '--port N or PORT=N')}\n`);
  process.exit(1);
});
