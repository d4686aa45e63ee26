import { aGatewayOver } from '../testing/compose';
import { post } from '../testing/gateways';

/** Every answer tells apart what it was computed of; see decision 10. */
const LAMP = {
  lights: {
    typeDefs: `
      type Query { lamp: Lamp  lamps: [Lamp] }
      type Lamp @key(fields: "id") { id: ID!  name: String  glow(hue: String!): String  watts: Int }`,
    resolvers: {
      Query: { lamp: () => ({ id: 'l1' }), lamps: () => [{ id: 'l1' }, { id: 'l2' }] },
      Lamp: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        name: ({ id }: { id: string }) => `lamp ${id}`,
        glow: ({ id }: { id: string }, { hue }: { hue: string }) => `${hue} of ${id}`,
        watts: () => 60,
      },
    },
  },
  bills: {
    typeDefs: `
      type Lamp @key(fields: "id") {
        id: ID!
        glow(hue: String!): String @external
        watts: Int @external
        redCost: String @requires(fields: "glow(hue: \\"red\\") watts")
        blueCost: String @requires(fields: "glow(hue: \\"blue\\")")
        bill(copies: Int!): String @requires(fields: "watts")
        price: Int
      }`,
    resolvers: {
      Lamp: {
        redCost: ({ glow, watts }: { glow: string; watts: number }) => `cost of ${glow} at ${watts}`,
        blueCost: ({ glow }: { glow: string }) => `cost of ${glow}`,
        bill: ({ watts }: { watts: number }, { copies }: { copies: number }) => `${copies} bills of ${watts}`,
        price: () => 7,
      },
    },
  },
};

test.each<[string, string, Record<string, unknown>, Record<string, unknown>?]>([
  [
    'the client selects a required field with other arguments',
    '{ lamp { glow(hue: "green") redCost } }',
    { lamp: { glow: 'green of l1', redCost: 'cost of red of l1 at 60' } },
  ],
  [
    'the client selects it with a variable, and after what requires it',
    'query ($h: String!) { lamp { redCost glow(hue: $h) } }',
    { lamp: { redCost: 'cost of red of l1 at 60', glow: 'green of l1' } },
    { h: 'green' },
  ],
  [
    'two fields require one field with different arguments',
    '{ lamps { redCost blueCost } }',
    {
      lamps: [
        { redCost: 'cost of red of l1 at 60', blueCost: 'cost of blue of l1' },
        { redCost: 'cost of red of l2 at 60', blueCost: 'cost of blue of l2' },
      ],
    },
  ],
  [
    'both at once, with variables, conditions and fragments',
    `query ($h: String!, $n: Int!, $yes: Boolean!) {
      lamp { ...Costs  glow(hue: $h)  bill(copies: $n)  price  ... @include(if: $yes) { other: blueCost } } }
    fragment Costs on Lamp { redCost @include(if: $yes)  blueCost @skip(if: $yes) }`,
    {
      lamp: {
        redCost: 'cost of red of l1 at 60',
        glow: 'green of l1',
        bill: '3 bills of 60',
        price: 7,
        other: 'cost of blue of l1',
      },
    },
    { h: 'green', n: 3, yes: true },
  ],
  [
    'an alias has the name of a required field',
    '{ lamp { watts: name redCost } }',
    { lamp: { watts: 'lamp l1', redCost: 'cost of red of l1 at 60' } },
  ],
  [
    'what a skipped field requires is left out, and the other fields of its subgraph are not',
    'query ($s: Boolean!) { lamp { redCost @skip(if: $s) price ... @include(if: $s) { ... { blueCost @skip(if: $s) } } } }',
    { lamp: { price: 7 } },
    { s: true },
  ],
  [
    'all selections of a field are skipped',
    'query ($s: Boolean!) { lamp { price @skip(if: $s) } lamps { ... on Lamp @include(if: false) { name } } }',
    { lamp: {}, lamps: [{}, {}] },
    { s: true },
  ],
  ['an alias has the name of a key field', '{ lamp { id: name price } }', { lamp: { id: 'lamp l1', price: 7 } }],
  [
    'an alias is __typename',
    '{ lamp { __typename: name kind: __typename price } }',
    { lamp: { __typename: 'lamp l1', kind: 'Lamp', price: 7 } },
  ],
  [
    'an alias for a field of another subgraph has the name of a required field',
    '{ lamp { watts: price redCost } lamps { id } }',
    { lamp: { watts: 7, redCost: 'cost of red of l1 at 60' }, lamps: [{ id: 'l1' }, { id: 'l2' }] },
  ],
  [
    'aliases look like the names that replace others',
    '{ lamp { client_id: name id: price glow__requires_0: name redCost blueCost } }',
    {
      lamp: {
        client_id: 'lamp l1',
        id: 7,
        glow__requires_0: 'lamp l1',
        redCost: 'cost of red of l1 at 60',
        blueCost: 'cost of blue of l1',
      },
    },
  ],
])('right where %s', async (_case, query, data, variables = {}) => {
  await using gateway = await aGatewayOver(LAMP);
  const answer = await post(gateway.url, query, variables);
  expect(answer).toEqual({ status: 200, data });
  expect(Object.keys(answer.data?.['lamp'] ?? {})).toEqual(Object.keys(data['lamp'] ?? {}));
});

test('mutations run in the order in which a client reads them, and once', async () => {
  const done: string[] = [];
  const run = (name: string) => () => (done.push(name), name);
  await using gateway = await aGatewayOver({
    only: {
      typeDefs: 'type Query { a: String } type Mutation { a: String  b: String  c: String }',
      resolvers: { Mutation: { a: run('a'), b: run('b'), c: run('c') } },
    },
  });
  const { data } = await post(
    gateway.url,
    'mutation { c ...F a @include(if: true) } fragment F on Mutation { b ... { a } }',
  );
  expect(done).toEqual(['c', 'b', 'a']);
  expect(data).toEqual({ c: 'c', b: 'b', a: 'a' });
});

test('a compound key and required fields of its parts keep apart from a client’s aliases', async () => {
  await using gateway = await aGatewayOver({
    a: {
      typeDefs: `
        type Query { a: A }
        type A @key(fields: "code { x }") { code: Code!  other: Code  dims(unit: String!): Dims  tag: Tag }
        type Code @shareable { x: Int!  y: Int! }
        type Dims { w: Int  h: Int }
        type Tag { text: String }`,
      resolvers: {
        Query: { a: () => ({ code: { x: 1, y: 2 }, other: { x: 3, y: 4 }, tag: { text: 'tag' } }) },
        A: {
          __resolveReference: () => ({ code: { x: 1, y: 2 } }),
          dims: (_: unknown, { unit }: { unit: string }) => (unit === 'cm' ? { w: 5, h: 6 } : { w: 7, h: 8 }),
        },
      },
    },
    b: {
      typeDefs: `
        type A @key(fields: "code { x }") { code: Code!  label: String
          dims(unit: String!): Dims @external  area: String @requires(fields: "dims(unit: \\"cm\\") { w h }") }
        type Code @shareable { x: Int! }
        type Dims { w: Int @external  h: Int @external }`,
      resolvers: {
        A: {
          label: ({ code }: { code: { x: number } }) => `label ${code.x}`,
          area: ({ dims }: { dims: { w: number; h: number } }) => `${dims.w}x${dims.h}`,
        },
      },
    },
  });
  const answer = await post(
    gateway.url,
    `{ a { code: other { x } label area  dims: tag { w: text } mm: dims(unit: "mm") { w: h } cm: dims(unit: "cm") { h: w } } }`,
  );
  expect(answer).toEqual({
    status: 200,
    data: {
      a: { code: { x: 3 }, label: 'label 1', area: '5x6', dims: { w: 'tag' }, mm: { w: 8 }, cm: { h: 5 } },
    },
  });
});

test('a subgraph never sees the twin of a field', async () => {
  await using gateway = await aGatewayOver(LAMP);
  await post(gateway.url, '{ lamp { redCost blueCost } }');
  const sent = gateway.calls.filter(({ subgraph }) => subgraph === 'bills');
  expect(sent.flatMap(({ variables }) => Object.values(variables).flat())).toEqual([
    { __typename: 'Lamp', id: 'l1', glow: 'red of l1', watts: 60 },
    { __typename: 'Lamp', id: 'l1', glow: 'blue of l1', watts: 60 },
  ]);
});

test('an error at a renamed field has the path the client knows', async () => {
  await using gateway = await aGatewayOver({
    ...LAMP,
    lights: {
      ...LAMP.lights,
      resolvers: {
        ...LAMP.lights.resolvers,
        Lamp: {
          ...LAMP.lights.resolvers.Lamp,
          name: () => {
            throw new Error('no name');
          },
        },
      },
    },
  });
  const { data, errors } = await post(gateway.url, '{ lamp { id: name price } }');
  expect(data).toEqual({ lamp: { id: null, price: 7 } });
  expect(errors?.map(({ path }) => path)).toEqual([['lamp', 'id']]);
});

test('required lists, interfaces and nested fields with different arguments', async () => {
  await using gateway = await aGatewayOver({
    posts: {
      typeDefs: `
        type Query { post: Post }
        type Post @key(fields: "id") { id: ID!  notes(limit: Int! = 2): [Note!]  cover: Image }
        type Note @shareable { by: String }
        interface Image { size(unit: String): String }
        type Photo implements Image @shareable { size(unit: String): String }
        type Drawing implements Image @shareable { size(unit: String): String }`,
      resolvers: {
        Query: { post: () => ({ id: 'p' }) },
        Post: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          notes: (_: unknown, { limit }: { limit: number }) => [...'abcdef'].slice(0, limit).map((by) => ({ by })),
          cover: () => ({ __typename: 'Drawing' }),
        },
        Drawing: { size: (_: unknown, { unit }: { unit?: string }) => `1 ${unit ?? 'mm'}` },
      },
    },
    people: {
      typeDefs: `
        type Post @key(fields: "id") {
          id: ID!
          notes(limit: Int! = 2): [Note!] @external
          cover: Image @external
          few: String @requires(fields: "notes { by }")
          many: String @requires(fields: "notes(limit: 4) { by } cover { size(unit: \\"cm\\") }")
          one: String @requires(fields: "notes(limit: 1) { by } cover { ... on Drawing { size(unit: \\"in\\") } }")
        }
        type Note @shareable { by: String }
        interface Image { size(unit: String): String }
        type Photo implements Image @shareable { size(unit: String): String }
        type Drawing implements Image @shareable { size(unit: String): String }`,
      resolvers: {
        Post: Object.fromEntries(
          ['few', 'many', 'one'].map((name) => [
            name,
            (post: { notes: { by: string }[]; cover?: { size: string } }) =>
              `${post.notes.map(({ by }) => by).join('')} ${post.cover?.size ?? ''}`,
          ]),
        ),
      },
    },
  });
  const query =
    '{ post { few many one notes(limit: 3) { by: __typename } again: notes(limit: 3) { by } cover { size } } }';
  const { data, errors } = await post(gateway.url, query);
  expect(errors).toBeUndefined();
  expect(data).toEqual({
    post: {
      few: 'ab ',
      many: 'abcd 1 cm',
      one: 'a 1 in',
      notes: [{ by: 'Note' }, { by: 'Note' }, { by: 'Note' }],
      again: [{ by: 'a' }, { by: 'b' }, { by: 'c' }],
      cover: { size: '1 mm' },
    },
  });
});

const ROOMS = (keysInB: string): Parameters<typeof aGatewayOver>[0] => ({
  a: {
    typeDefs: `type A @key(fields: "id") @key(fields: "code") { id: ID!  code: ID!  name: String! }`,
    resolvers: { A: { __resolveReference: (key: object) => ({ id: '1', code: 'c1', name: 'one', ...key }) } },
  },
  b: {
    typeDefs: `
      type Query { b: [A] }
      type A ${keysInB} { id: ID!  code: ID! @shareable  name: String! @external  label: String! @requires(fields: "name") }`,
    resolvers: {
      Query: { b: () => [{ id: '1', code: 'c1' }] },
      A: {
        __resolveReference: (key: { code?: string }) => {
          if (!key.code) throw new Error('not a key of mine');
          return key;
        },
        label: ({ name }: { name: string }) => `label of ${name}`,
      },
    },
  },
});

test('a subgraph is entered again by a key it can resolve, whichever stands first', async () => {
  await using gateway = await aGatewayOver(ROOMS('@key(fields: "id", resolvable: false) @key(fields: "code")'));
  expect(await post(gateway.url, '{ b { label } }')).toEqual({
    status: 200,
    data: { b: [{ label: 'label of one' }] },
  });
});

test('an operation that needs a key nobody can resolve is refused', async () => {
  await using gateway = await aGatewayOver(ROOMS('@key(fields: "id", resolvable: false)'));
  const { status, data, errors } = await post(gateway.url, '{ b { label } }');
  expect([status, data]).toEqual([500, undefined]);
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'UNRESOLVABLE_FIELD' } });
  expect(await post(gateway.url, '{ b { id } }')).toEqual({ status: 200, data: { b: [{ id: '1' }] } });
});
