import path from 'node:path';
import { parseArgs } from 'node:util';
import { EnvironmentReader, readProcessEnvironment, type Env, type ProcessEnvironment } from '../platform/environment';
import { repositoryRoot } from '../platform/root';
import type { RemoteSubgraph } from './options';

export interface GatewayEnvironment extends ProcessEnvironment {
  supergraphFile: string;
  host: string;
  port: number;
  corsOrigins: string[];
  forwardAuthorization: boolean;
  deadlineMs: number;
  /** Null for a gateway over somebody else's subgraphs: it signs nothing and verifies nobody. */
  identity: { jwksUrl: string } | null;
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
  const remotes = readRemotes(reader, env);
  const environment: GatewayEnvironment = {
    ...readProcessEnvironment(reader),
    supergraphFile: path.resolve(flags.supergraph ?? path.join(repositoryRoot(), 'gateway/supergraph.graphql')),
    host: reader.text('HOST') ?? '127.0.0.1',
    port: reader.wholeNumber('PORT', 4000, { min: 0, max: 65_535 }),
    corsOrigins: reader.list('CORS_ORIGINS'),
    forwardAuthorization: flags['forward-authorization'] ?? false,
    deadlineMs: reader.wholeNumber('DEADLINE_MS', 30_000, { min: 100, max: 600_000 }),
    identity: flags.supergraph === undefined ? readIdentity(reader) : null,
    remoteSubgraph: (name) => remotes.get(environmentName(name)),
  };
  reader.check();
  return environment;
}

function readIdentity(reader: EnvironmentReader): GatewayEnvironment['identity'] {
  return { jwksUrl: reader.url('JWKS_URL', ['http:', 'https:']) ?? 'http://127.0.0.1:4001/.well-known/jwks.json' };
}

function readRemotes(reader: EnvironmentReader, env: Env): Map<string, RemoteSubgraph> {
  const remotes = new Map<string, RemoteSubgraph>();
  const names = Object.keys(env).flatMap((variable) => /^SUBGRAPH_(?:WS_)?URL_(\w+)$/.exec(variable)?.[1] ?? []);
  for (const name of new Set(names)) {
    const url = reader.url(`SUBGRAPH_URL_${name}`, ['http:', 'https:']);
    const webSocketUrl = reader.url(`SUBGRAPH_WS_URL_${name}`, ['ws:', 'wss:']);
    if (url) remotes.set(name, { url, ...(webSocketUrl ? { webSocketUrl } : {}) });
    else if (webSocketUrl && reader.text(`SUBGRAPH_URL_${name}`) === null)
      reader.fault(`SUBGRAPH_WS_URL_${name} needs SUBGRAPH_URL_${name}: it names no subgraph on its own.`);
  }
  return remotes;
}

/** `big-media` is `BIG_MEDIA`: variables have no other characters. */
function environmentName(subgraph: string): string {
  return subgraph.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}
