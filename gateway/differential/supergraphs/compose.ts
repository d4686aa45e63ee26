import { composeServices } from '@apollo/composition';
import { ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph } from '@apollo/federation-internals';
import { parse, type GraphQLSchema } from 'graphql';
import type { Subgraph } from '../../../platform/subgraph/subgraph';
import { readDefinition } from '../definitions';
import { gatherFacts, type Facts } from '../facts';
import { hashSubgraph } from '../federated';
import { unsplitSchema } from '../unsplit';
import { createHashWorld, type HashWorld } from '../world';

/** What all fixtures of this folder begin with. */
export const FEDERATION = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key",
  "@requires", "@external", "@shareable", "@interfaceObject", "@inaccessible", "@provides", "@override"])\n`;

/** A supergraph whose subgraphs, and the unsplit schema beside them, answer out of one hash world. */
export interface HashSupergraph {
  name: string;
  sdl: string;
  apiSchema: GraphQLSchema;
  unsplit: GraphQLSchema;
  subgraphs: ReadonlyMap<string, Subgraph>;
  facts: Facts;
  world: HashWorld;
  /** About how large operations may be: Apollo's planner takes seconds and gigabytes for more over some supergraphs. */
  largest: { fields: number; depth: number };
}

const LARGEST = { fields: 40, depth: 7 };

/** Builds the world of some subgraphs, given by name; composes them unless their supergraph is given. Throws when they do not compose. */
export function aHashSupergraph(
  name: string,
  typeDefs: Record<string, string>,
  sdl = compose(typeDefs),
): HashSupergraph {
  const supergraph = Supergraph.build(sdl, { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES });
  const apiSchema = supergraph.apiSchema().toGraphQLJSSchema();
  const fullSchema = supergraph.schema.toGraphQLJSSchema();
  const definitions = Object.entries(typeDefs).map(([subgraph, text]) => readDefinition(subgraph, text));
  const facts = gatherFacts(fullSchema, apiSchema, definitions);
  const world = createHashWorld(fullSchema, facts);
  const subgraphs = new Map(
    definitions.map((definition) => [definition.name, hashSubgraph(definition, definitions, world)]),
  );
  return { largest: LARGEST, name, sdl, apiSchema, unsplit: unsplitSchema(apiSchema, world), subgraphs, facts, world };
}

function compose(typeDefs: Record<string, string>): string {
  const composed = composeServices(
    Object.entries(typeDefs).map(([name, text]) => ({
      name,
      url: `http://${name}.invalid/graphql`,
      typeDefs: parse(text),
    })),
  );
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  return composed.supergraphSdl;
}
