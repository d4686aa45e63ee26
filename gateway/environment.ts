import path from 'node:path';
import { parseArgs } from 'node:util';
import { EnvironmentReader, readProcessEnvironment, type Env, type ProcessEnvironment } from '../platform/environment';
import { repositoryRoot } from '../platform/root';
import type { GatewayConfig } from './config/schema';
import { readEdgeEnvironment, type EdgeEnvironment } from './edge-environment';
import type { RemoteSubgraph } from './options';

/** Where the supergraph comes from: a file, or its subgraphs, which are asked and composed. */
export type SupergraphOrigin =
  { file: string } | { subgraphs: readonly { name: string; url: string }[]; pollIntervalMs: number | null };

export interface GatewayEnvironment extends ProcessEnvironment {
  supergraph: SupergraphOrigin;
  host: string;
  port: number;
  corsOrigins: string[];
  forwardAuthorization: boolean;
  deadlineMs: number;
  edge: EdgeEnvironment;
  /** Null for a gateway over somebody else's subgraphs: it signs nothing and verifies nobody. */
  identity: { jwksUrl: string } | null;
  /** `SUBGRAPH_URL_<NAME>` and `SUBGRAPH_WS_URL_<NAME>`. */
  remoteSubgraph: (name: string) => RemoteSubgraph | undefined;
}

/** The process's own environment, read here and nowhere else. */
export const processEnvironment: Env = process.env;

const FLAGS = {
  config: { type: 'string' },
  supergraph: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  'forward-authorization': { type: 'boolean' },
} as const;

/** The configuration file that the flags or `SAUTI_GATEWAY_CONFIG` name; null without one. */
export function gatewayConfigFile(argv: readonly string[], env: Env): string | null {
  const { values: flags } = parseArgs({ args: [...argv], options: FLAGS });
  return flags.config ?? new EnvironmentReader(env).text('SAUTI_GATEWAY_CONFIG');
}

/**
 * Reads flags and variables; throws one error that lists all faults. Flags come before variables, and both before the
 * configuration file. With a supergraph from a flag or the file the gateway serves that on its own; without, it serves
 * this repository's as one process of the system, with identity.
 */
export function readGatewayEnvironment(
  argv: readonly string[],
  env: Env,
  config: GatewayConfig = {},
): GatewayEnvironment {
  const { values: flags } = parseArgs({ args: [...argv], options: FLAGS });
  const reader = new EnvironmentReader({ ...env, PORT: flags.port ?? env['PORT'], HOST: flags.host ?? env['HOST'] });
  const remotes = readRemotes(reader, env);
  const corsOrigins = reader.list('CORS_ORIGINS');
  const shared = readProcessEnvironment(reader);
  const { maxFileBytes = shared.maxFileBytes } = config.limits ?? {};
  const hasIdentity = flags.supergraph === undefined && config.supergraph === undefined;
  const environment: GatewayEnvironment = {
    ...shared,
    edge: readEdgeEnvironment(reader, config, { production: shared.production, hasIdentity }),
    maxFileBytes: reader.text('MAX_FILE_BYTES') === null ? maxFileBytes : shared.maxFileBytes,
    supergraph: supergraphOrigin(flags.supergraph ?? config.supergraph),
    host: reader.text('HOST') ?? config.host ?? '127.0.0.1',
    port: reader.wholeNumber('PORT', config.port ?? 4000, { min: 0, max: 65_535 }),
    corsOrigins: corsOrigins.length > 0 ? corsOrigins : (config.corsOrigins ?? []),
    forwardAuthorization: flags['forward-authorization'] ?? false,
    deadlineMs: reader.wholeNumber('DEADLINE_MS', config.deadlineMs ?? 30_000, { min: 100, max: 600_000 }),
    identity: hasIdentity ? readIdentity(reader) : null,
    remoteSubgraph: (name) => remotes.get(environmentName(name)),
  };
  reader.check();
  return environment;
}

function supergraphOrigin(given: GatewayConfig['supergraph']): SupergraphOrigin {
  if (typeof given !== 'object')
    return { file: path.resolve(given ?? path.join(repositoryRoot(), 'gateway/supergraph.graphql')) };
  return { subgraphs: given.subgraphs, pollIntervalMs: given.pollIntervalMs ?? null };
}

function readIdentity(reader: EnvironmentReader): GatewayEnvironment['identity'] {
  return { jwksUrl: reader.url('JWKS_URL', ['http:', 'https:']) ?? 'http://127.0.0.1:4001/.well-known/jwks.json' };
}

function readRemotes(reader: EnvironmentReader, env: Env): Map<string, RemoteSubgraph> {
  const remotes = new Map<string, RemoteSubgraph>();
  const names = Object.keys(env).flatMap((variable) => /^SUBGRAPH_(?:WS_)?URL_(\w+)$/.exec(variable)?.[1] ?? []);
  for (const name of new Set(names)) {
    const url = reader.url(`SUBGRAPH_URL_${name}`, ['http:', 'https:']);
    const subscriptionUrl = reader.url(`SUBGRAPH_WS_URL_${name}`, ['ws:', 'wss:']);
    if (url) remotes.set(name, { url, ...(subscriptionUrl ? { subscriptionUrl } : {}) });
    else if (subscriptionUrl && reader.text(`SUBGRAPH_URL_${name}`) === null)
      reader.fault(`SUBGRAPH_WS_URL_${name} needs SUBGRAPH_URL_${name}: it names no subgraph on its own.`);
  }
  return remotes;
}

/** `big-media` is `BIG_MEDIA`: variables have no other characters. */
function environmentName(subgraph: string): string {
  return subgraph.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}
