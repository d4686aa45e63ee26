import { composeServices } from '@apollo/composition';
import { gql } from 'graphql-tag';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])\n`;
const SUBGRAPHS = ['a', 'b', 'c', 'd', 'e', 'f'];

/**
 * The text of a supergraph on which short operations take long to plan: one entity in six subgraphs, each of its fields
 * in most of them, so that the ways to fetch a few levels multiply.
 */
export function aCostlySupergraph(): string {
  const composed = composeServices(
    SUBGRAPHS.map((name, index) => ({
      name,
      url: `http://${name}.invalid/graphql`,
      typeDefs: gql(
        `${LINK}type Query { ${name}: T @shareable  small: Int @shareable }
        type T @key(fields: "id") { id: ID!  ${fieldsWithout(index)} }`,
      ),
    })),
  );
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  return composed.supergraphSdl;
}

/** Each subgraph lacks the fields of its own number, so no way through is the only one. */
function fieldsWithout(subgraph: number): string {
  return SUBGRAPHS.flatMap((_, field) =>
    field === subgraph ? [] : [`t${field}: T @shareable`, `x${field}: Int @shareable`],
  ).join('  ');
}

/** An operation for `aCostlySupergraph` that takes far longer than the planning budget; `seed` makes different ones. */
export function aCostlyOperation(seed = 0, depth = 4): string {
  const level = (left: number): string =>
    left === 0 ? `x0 x1 x2 x3 x4 x5` : [0, 1, 2].map((n) => `t${n} { x${n} ${level(left - 1)} }`).join(' ');
  return `query Costly${seed} { a { ${level(depth)} } }`;
}
