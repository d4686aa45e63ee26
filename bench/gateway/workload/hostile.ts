/**
 * A supergraph and an operation that take Apollo's planner more than ten seconds, although the operation is small: at
 * every level each field can be had from three of seven subgraphs and no subgraph has them all, so the number of ways to
 * plan it grows with the power of its depth. Its depth, fields and tokens are within what gateways commonly allow.
 */
const SUBGRAPHS = 7;
const LEAVES = 6;
const LINKS = 3;
/** Each field is in this many subgraphs, beginning with another one. */
const SHARES = 3;
const FOLLOWED_LINKS = 2;
const DEPTH = 5;

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])';

/** Schema text by name of subgraph. */
export const HOSTILE_SCHEMAS: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: SUBGRAPHS }, (_, index) => [`parts${index}`, schemaOf(index)]),
);

/** The answer is null at once: all there is to do is to plan. */
export const HOSTILE_OPERATION = `query Hostile { part { ${selection(DEPTH)} } }`;

function schemaOf(subgraph: number): string {
  const isHere = (first: number): boolean => (subgraph - first + 2 * SUBGRAPHS) % SUBGRAPHS < SHARES;
  const fields = [
    ...numbers(LINKS).flatMap((link) => (isHere(2 * link + 1) ? [`link${link}: Part @shareable`] : [])),
    ...numbers(LEAVES).flatMap((leaf) => (isHere(leaf) ? [`leaf${leaf}: String @shareable`] : [])),
  ];
  const query = subgraph === 0 ? 'type Query { part: Part }' : '';
  return `${LINK} ${query} type Part @key(fields: "id") { id: ID! ${fields.join(' ')} }`;
}

function selection(depth: number): string {
  const leaves = numbers(LEAVES).map((leaf) => `leaf${leaf}`);
  const links = depth === 0 ? [] : numbers(FOLLOWED_LINKS).map((link) => `link${link} { ${selection(depth - 1)} }`);
  return [...leaves, ...links].join(' ');
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
