import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isListType, isNonNullType, isObjectType, printSchema, type GraphQLOutputType } from 'graphql';
import { loadSupergraph } from '../../gateway/supergraph/supergraph';
import { repositoryRoot } from '../../platform/root';
import { idPlaces } from './id-places';

export const SUBGRAPHS = ['users', 'files', 'media', 'translation', 'notification'] as const;
export type SubgraphName = (typeof SUBGRAPHS)[number];

export interface Places {
  /** Every argument and input field of the composed schema that takes an id, as `Query.media.id`. */
  ids: string[];
  /** Every entity that a subgraph resolves, as `Media@media`. */
  entities: string[];
  /** Every root field that answers a list or a connection, as `Query.files`. */
  lists: string[];
}

/** All places of the graph where somebody could get at what is not theirs. */
export async function placesOfTheGraph(): Promise<Places> {
  await using supergraph = await loadSupergraph(read('gateway/supergraph.graphql'));
  const { apiSchema } = supergraph;
  const fields = Object.values(apiSchema.getQueryType()!.getFields());
  return {
    ids: idPlaces(printSchema(apiSchema)),
    entities: SUBGRAPHS.flatMap((name) =>
      idPlaces(read(`subgraphs/${name}/schema.graphql`))
        .filter((place) => place.startsWith('_entities.'))
        .map((place) => `${place.slice('_entities.'.length)}@${name}`),
    ).sort(),
    lists: fields
      .filter(({ type }) => isList(type))
      .map(({ name }) => `Query.${name}`)
      .sort(),
  };
}

function isList(type: GraphQLOutputType): boolean {
  const inner = isNonNullType(type) ? type.ofType : type;
  return isListType(inner) || (isObjectType(inner) && inner.name.endsWith('Connection'));
}

function read(file: string): string {
  return readFileSync(path.join(repositoryRoot(), file), 'utf8');
}
