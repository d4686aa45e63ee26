import { ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph, type Schema } from '@apollo/federation-internals';
import type { GraphQLSchema } from 'graphql';

/** A composed schema in the three views the gateway needs, and where its subgraphs are. */
export interface LoadedSupergraph {
  sdl: string;
  /** What the planner plans on. */
  federated: Supergraph;
  /** What clients may ask for, in the planner's own classes: operations are built against it. */
  api: Schema;
  /** The same for graphql-js: validation, variable coercion and introspection. */
  apiSchema: GraphQLSchema;
  /** Every type including inaccessible ones: representations and rewrites test types against it. */
  fullSchema: GraphQLSchema;
  /** Names and routing URLs from `join__Graph`. */
  subgraphs: readonly { name: string; url: string }[];
}

/**
 * Reads a supergraph SDL. Accepts what Apollo Router accepts: with its default feature list the library refuses any
 * schema that uses `@authenticated`, `@requiresScopes`, `@policy` or `@context`. Throws when the SDL is no supergraph.
 */
export function loadSupergraph(sdl: string): LoadedSupergraph {
  const federated = Supergraph.build(sdl, { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES });
  const api = federated.apiSchema();
  return {
    sdl,
    federated,
    api,
    apiSchema: api.toGraphQLJSSchema({ includeDefer: true }),
    fullSchema: federated.schema.toGraphQLJSSchema(),
    subgraphs: federated.subgraphsMetadata(),
  };
}
