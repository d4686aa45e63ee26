import type { GraphQLDataSource } from '@apollo/gateway';
import type { Logger } from '../../platform/logger';
import { httpTransport } from '../fetch/http';
import type { SubgraphSettings } from '../fetch/subgraph-settings';
import { DEFAULT_UPSTREAM_SETTINGS } from '../fetch/upstream-settings';
import { ownCall, type Transport } from '../fetch/transport';
import type { SupergraphChange, SupergraphSource } from './supergraph-source';

export interface ComposedSupergraphOptions {
  subgraphs: readonly { name: string; url: string }[];
  /** Null: composed again only on demand. */
  pollIntervalMs: number | null;
  settingsOf: (name: string) => SubgraphSettings;
  logger: Logger;
}

/**
 * Asks running subgraphs for their schemas and composes them, with the `IntrospectAndCompose` of `@apollo/gateway`; the
 * questions go over transports of our own, with their deadlines, limits and headers. Rejects when a subgraph does not
 * answer or the schemas do not compose. The package is loaded only here, because it is large; what it reports to Apollo
 * belongs to its gateway class, of which none is made.
 */
export async function composedSupergraph(options: ComposedSupergraphOptions): Promise<SupergraphSource> {
  const { IntrospectAndCompose } = await import('@apollo/gateway');
  const transports = new Map<string, Transport>(
    options.subgraphs.map(({ name, url }) => [name, transportTo(name, url, options)]),
  );
  const dispose = (): Promise<unknown> => Promise.all([...transports.values()].map((transport) => transport.dispose()));
  let change: SupergraphChange | undefined;

  const compose = (poll: object, onError: (message: string) => void) =>
    new IntrospectAndCompose({
      subgraphs: [...options.subgraphs],
      logger: { debug() {}, info() {}, warn() {}, error: (message: string) => onError(message) },
      ...poll,
    }).initialize({
      update: (sdl) => change?.to(sdl),
      healthCheck: async () => {},
      getDataSource: ({ name }) => dataSource(transports.get(name)!),
    });
  const polling = options.pollIntervalMs === null ? {} : { pollIntervalInMs: options.pollIntervalMs };
  try {
    const first = await compose(polling, (message) => change?.failed(new Error(message)));
    return {
      sdl: first.supergraphSdl,
      read: async () => (await compose({}, () => {})).supergraphSdl,
      follow: (given) => void (change = given),
      async stop() {
        await first.cleanup();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function transportTo(name: string, url: string, { settingsOf, logger }: ComposedSupergraphOptions): Transport {
  // Nobody subscribes here: any way to subscriptions at the same address will do.
  const settings = { ...settingsOf(name), subscriptions: { ...DEFAULT_UPSTREAM_SETTINGS, protocol: 'sse' as const } };
  return httpTransport({
    name,
    url,
    subscriptionUrl: url,
    callbacks: undefined,
    signCall: undefined,
    settings,
    logger,
  });
}

function dataSource(transport: Transport): GraphQLDataSource {
  return {
    async process({ request }) {
      const { data, errors } = await transport.execute(
        ownCall(request.query ?? '', 'composition', new AbortController().signal),
      );
      return { data: data as Record<string, unknown>, ...(errors ? { errors } : {}) };
    },
  };
}
