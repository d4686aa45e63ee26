import path from 'node:path';
import { parseArgs } from 'node:util';
import { EnvironmentReader, type Env } from '../platform/environment';
import type { LogLevel } from '../platform/logger';
import { repositoryRoot } from '../platform/root';
import type { RemoteSubgraph } from './options';

export interface GatewayEnvironment {
  supergraphFile: string;
  host: string;
  port: number;
  corsOrigins: string[];
  production: boolean;
  logLevel: LogLevel;
  forwardAuthorization: boolean;
  maxFileBytes: number;
  deadlineMs: number;
  /** Null for a gateway over somebody else's subgraphs: it signs nothing and verifies nobody. */
  identity: { jwksUrl: string; secret: string | null; dataDirectory: string } | null;
  /** `SUBGRAPH_URL_<NAME>` and `SUBGRAPH_WS_URL_<NAME>`. */
  remoteSubgraph: (name: string) => RemoteSubgraph | undefined;
}

/** The process's own environment, read here and nowhere else. */
export const processEnvironment: Env = process.env;

/**
 * Reads flags and variables; throws one error that lists all faults. With `--supergraph FILE` the gateway serves that
 * supergraph on its own; without, it serves this repository's as one process of the system, with identity.
 */
export function readGatewayEnvironment(argv: readonly string[], env: Env): GatewayEnvironment {
  const { values: flags } = parseArgs({
    args: [...argv],
    options: {
      supergraph: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      'forward-authorization': { type: 'boolean' },
    },
  });
  const reader = new EnvironmentReader({ ...env, PORT: flags.port ?? env['PORT'], HOST: flags.host ?? env['HOST'] });
  const production = reader.text('NODE_ENV') === 'production';
  const remotes = readRemotes(reader, env);
  const environment: GatewayEnvironment = {
    supergraphFile: path.resolve(flags.supergraph ?? path.join(repositoryRoot(), 'gateway/supergraph.graphql')),
    host: reader.text('HOST') ?? '127.0.0.1',
    port: reader.wholeNumber('PORT', 4000, { min: 0, max: 65_535 }),
    corsOrigins: (reader.text('CORS_ORIGINS') ?? '').split(',').flatMap((origin) => origin.trim() || []),
    production,
    logLevel: reader.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], production ? 'info' : 'warn'),
    forwardAuthorization: flags['forward-authorization'] ?? false,
    maxFileBytes: reader.wholeNumber('MAX_FILE_BYTES', 2 * 1024 ** 3, { min: 1, max: 1024 ** 4 }),
    deadlineMs: reader.wholeNumber('DEADLINE_MS', 30_000, { min: 100, max: 600_000 }),
    identity: flags.supergraph === undefined ? readIdentity(reader) : null,
    remoteSubgraph: (name) => remotes.get(environmentName(name)),
  };
  reader.check();
  return environment;
}

function readIdentity(reader: EnvironmentReader): GatewayEnvironment['identity'] {
  return {
    jwksUrl: reader.url('JWKS_URL', ['http:', 'https:']) ?? 'http://127.0.0.1:4001/.well-known/jwks.json',
    secret: reader.text('SAUTI_SECRET'),
    dataDirectory: path.resolve(reader.text('SAUTI_DATA_DIR') ?? path.join(repositoryRoot(), '.sauti')),
  };
}

function readRemotes(reader: EnvironmentReader, env: Env): Map<string, RemoteSubgraph> {
  const remotes = new Map<string, RemoteSubgraph>();
  for (const variable of Object.keys(env)) {
    const name = /^SUBGRAPH_URL_(\w+)$/.exec(variable)?.[1];
    const url = name && reader.url(variable, ['http:', 'https:']);
    if (!name || !url) continue;
    const webSocketUrl = reader.url(`SUBGRAPH_WS_URL_${name}`, ['ws:', 'wss:']);
    remotes.set(name, { url, ...(webSocketUrl ? { webSocketUrl } : {}) });
  }
  return remotes;
}

/** `big-media` is `BIG_MEDIA`: variables have no other characters. */
function environmentName(subgraph: string): string {
  return subgraph.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}
