import { FEDERATION } from './supergraphs/compose';

/** A pattern that @apollo/query-planner 2.14.4 plans wrongly, mostly without a word. */
export interface KnownFault {
  /** What the planner does. */
  fault: string;
  typeDefs: Record<string, string>;
  /** Operations that show it; each has one right answer. */
  operations: readonly string[];
  /** Operations for which there is no plan at all, so only a clear error is right. */
  refused?: readonly string[];
}

const LAMPS = {
  lights: `${FEDERATION}
    type Query { lamp: Lamp  lamps: [Lamp!]! }
    type Lamp @key(fields: "id") { id: ID!  name: String!  glow(hue: String = "white"): Int!  watts: Int! }`,
  bills: `${FEDERATION}
    type Lamp @key(fields: "id") { id: ID!  glow(hue: String = "white"): Int! @external  watts: Int! @external  price: Int
      redCost: Int! @requires(fields: "glow(hue: \\"red\\") watts")  blueCost: Int! @requires(fields: "glow(hue: \\"blue\\")")
      whiteCost: Int! @requires(fields: "glow") }`,
};

const POSTS = {
  feeds: `${FEDERATION}
    type Query { posts: [Post!]! }
    type Post @key(fields: "id") { id: ID! }`,
  notes: `${FEDERATION}
    type Post @key(fields: "id") { id: ID!  notes(limit: Int!): [Note!]! }
    type Note @key(fields: "id") { id: ID!  by: ID!  text: String! }`,
  people: `${FEDERATION}
    type Post @key(fields: "id") { id: ID!  notes(limit: Int!): [Note!]! @external  author: String! @requires(fields: "notes(limit: 3) { by }")
      spam: Boolean! @requires(fields: "notes(limit: 9) { text }") }
    type Note @key(fields: "id") { id: ID!  by: ID! @external  text: String! @external }`,
};

const BOXES = {
  stores: `${FEDERATION}
    type Query { boxes: [Box!]! }
    type Box @key(fields: "code { x }") { code: Code!  other: Code!  dims(unit: String): Dims! }
    type Code @shareable { x: ID!  y: ID! }
    type Dims { w: Int!  h: Int! }`,
  labels: `${FEDERATION}
    type Box @key(fields: "code { x }") { code: Code!  dims(unit: String): Dims! @external  label: String!  area: Int! @requires(fields: "dims(unit: \\"cm\\") { w h }") }
    type Code @shareable { x: ID!  y: ID! }
    type Dims @external { w: Int!  h: Int! }`,
};

/** The re-entry after @requires looks only at the keys that `second` knows by itself. */
const keyed = (typeOfSecond: string): Record<string, string> => ({
  first: `${FEDERATION}
    type Part @key(fields: "id") @key(fields: "code") @key(fields: "id made { x y }") { id: ID!  code: ID!  made: Made!  name: String! }
    type Made @shareable { x: ID!  y: ID! }`,
  second: `${FEDERATION}
    type Query { parts: [Part!]! }
    ${typeOfSecond}
    type Made @shareable { x: ID!  y: ID! }`,
});

export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    fault: "the client's arguments vanish, or stand in for those of a @requires that selects the same field",
    typeDefs: LAMPS,
    operations: [
      '{ lamps { glow(hue: "green") redCost } }',
      '{ lamps { redCost glow(hue: "green") } }',
      'query ($hue: String! = "green") { lamps { ... on Lamp { glow(hue: $hue) } redCost } }',
      '{ lamps { green: glow(hue: "green") redCost red: glow(hue: "red") } }',
      '{ lamps { glow redCost } }',
      '{ lamps { glow(hue: null) whiteCost } }',
    ],
  },
  {
    fault: "the client's arguments vanish, or stand in for those of a @requires, in a list of entities below",
    typeDefs: POSTS,
    operations: [
      '{ posts { author notes(limit: 1) { id } } }',
      'query ($limit: Int = 1) { posts { notes(limit: $limit) { id by } author } }',
      '{ posts { ...A ...B } } fragment A on Post { notes(limit: 2) { id } } fragment B on Post { author }',
    ],
  },
  {
    fault: 'two @requires of one field with different arguments become one fetch',
    typeDefs: LAMPS,
    operations: [
      '{ lamps { redCost blueCost } }',
      '{ lamps { blueCost redCost whiteCost } }',
      '{ lamps { whiteCost redCost } lamp { blueCost glow(hue: "x") } }',
    ],
  },
  {
    fault: 'two @requires of one list of entities with different arguments become one fetch',
    typeDefs: POSTS,
    operations: ['{ posts { author spam } }', '{ posts { spam notes(limit: 2) { text } author } }'],
  },
  {
    fault: 'an alias that is named like a required field stands in for it',
    typeDefs: LAMPS,
    operations: [
      '{ lamps { watts: name redCost } }',
      '{ lamps { watts: id redCost } }',
      '{ lamps { watts: glow(hue: "green") redCost } }',
      '{ lamps { watts: price redCost } }',
      '{ lamps { glow: watts redCost } }',
      '{ lamps { glow: glow(hue: "blue") redCost watts: glow } }',
    ],
  },
  {
    fault: 'an alias that is named like a key field, or __typename, is dropped',
    typeDefs: LAMPS,
    operations: [
      '{ lamps { id: name price } }',
      '{ lamps { id: watts price } }',
      '{ lamps { __typename: name price } }',
      '{ lamps { name: id id: name __typename: watts price } }',
    ],
  },
  {
    fault: 'an alias inside a compound key or a nested @requires is dropped, or cannot be planned',
    typeDefs: BOXES,
    operations: [
      '{ boxes { code: other { x } label } }',
      '{ boxes { code { x: y } label } }',
      '{ boxes { dims(unit: "m") { w } area } }',
      '{ boxes { dims(unit: "cm") { w: h } area } }',
      '{ boxes { dims: other { y } area } }',
    ],
  },
  {
    fault: 'a non-resolvable key is chosen for re-entry although a resolvable one exists',
    typeDefs: keyed(`type Part @key(fields: "id", resolvable: false) @key(fields: "code") { id: ID!  code: ID!
      name: String! @external  label: String! @requires(fields: "name") }`),
    operations: ['{ parts { label } }', '{ parts { id label } }', '{ parts { code label name } }'],
  },
  {
    fault: 'a non-resolvable key is chosen for re-entry although a compound one with the same field is resolvable',
    typeDefs:
      keyed(`type Part @key(fields: "id", resolvable: false) @key(fields: "id made { x y }") { id: ID!  made: Made!
      name: String! @external  label: String! @requires(fields: "name") }`),
    operations: ['{ parts { label } }', '{ parts { id label made { y } } }'],
  },
  {
    fault: 'a non-resolvable key is chosen for re-entry although a resolvable one is known elsewhere',
    typeDefs: keyed(`type Part @key(fields: "id", resolvable: false) @key(fields: "code") { id: ID!  code: ID! @external
      name: String! @external  label: String! @requires(fields: "name") }`),
    operations: [],
    refused: ['{ parts { label } }', '{ parts { label name code } }'],
  },
];

/**
 * A field that no subgraph can resolve, though it composes: `extras` knows it, but cannot be entered by a key. The planner
 * makes an empty plan; only a clear error is right.
 */
export const UNRESOLVABLE = {
  subgraphs: {
    nodes: { typeDefs: 'interface Node { id: ID! }  type Query { node: Node }', resolvers: {} },
    extras: {
      typeDefs: `type Query { extra: Node }
        type Node @key(fields: "id", resolvable: false) @interfaceObject { id: ID!  extra: String }`,
      resolvers: {},
    },
  },
  operations: ['{ node { extra } }'],
};
