import { composeServices } from '@apollo/composition';
import { gql } from 'graphql-tag';
import { silentLogger } from '../../platform/logger';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph, SubgraphCallOptions } from '../../platform/subgraph/subgraph';
import type { GatewayOptions } from '../options';
import { createGateway, type Gateway } from '../server';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@requires", "@external", "@shareable", "@interfaceObject", "@provides", "@override", "@context", "@fromContext", "@authenticated", "@requiresScopes", "@policy", "@inaccessible"])\n`;

export interface TestSubgraph {
  typeDefs: string;
  resolvers: object;
  /** Queries that get an error and no data at all. */
  refuses?: (query: string) => boolean;
}

/** A gateway over subgraphs written in a test, in process; `calls` collects what they were asked. */
export async function aGatewayOver(
  definitions: Record<string, TestSubgraph>,
  options: Partial<GatewayOptions> = {},
): Promise<
  {
    url: string;
    gateway: Gateway;
    calls: { subgraph: string; query: string; variables: Record<string, unknown> }[];
  } & AsyncDisposable
> {
  const calls: { subgraph: string; query: string; variables: Record<string, unknown> }[] = [];
  const subgraphs = new Map<string, Subgraph>();
  for (const [name, { typeDefs, resolvers, refuses }] of Object.entries(definitions)) {
    const subgraph = buildSubgraph({
      name,
      typeDefs: LINK + typeDefs,
      resolvers,
      createContext: (call: SubgraphCallOptions) => ({ call }),
      logger: silentLogger,
      ready: async () => {},
    });
    subgraphs.set(name, {
      ...subgraph,
      async execute(request, call) {
        calls.push({ subgraph: name, query: request.query, variables: request.variables ?? {} });
        if (refuses?.(request.query)) return { data: null, errors: [{ message: 'Refused as a whole.' }] };
        return subgraph.execute(request, call);
      },
    });
  }
  const composed = composeServices(
    Object.entries(definitions).map(([name, { typeDefs }]) => ({
      name,
      url: 'http://unused.invalid',
      typeDefs: gql(LINK + typeDefs),
    })),
  );
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  const gateway = await createGateway({
    supergraphSdl: composed.supergraphSdl,
    subgraphs,
    logger: silentLogger,
    development: true,
    ...options,
  });
  const { address } = await gateway.listen(0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${address.port}/graphql`,
    gateway,
    calls,
    [Symbol.asyncDispose]: () => gateway.stop(),
  };
}
