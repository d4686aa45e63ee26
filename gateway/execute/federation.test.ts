import { aGatewayOver } from '../testing/compose';
import { post } from '../testing/gateways';

test('@interfaceObject: a field for every implementation, and __typename from whoever knows it', async () => {
  await using gateway = await aGatewayOver({
    library: {
      typeDefs: `
        type Query { items: [Item!]!  item(id: ID!): Item }
        interface Item @key(fields: "id") { id: ID!  title: String! }
        type Book implements Item @key(fields: "id") { id: ID!  title: String!  pages: Int! }
        type Disc implements Item @key(fields: "id") { id: ID!  title: String!  tracks: Int! }`,
      resolvers: {
        Query: {
          items: () => ITEMS,
          item: (_: unknown, { id }: { id: string }) => ITEMS.find((item) => item.id === id),
        },
        Item: {
          __resolveReference: ({ id }: { id: string }) => ITEMS.find((item) => item.id === id),
          __resolveType: ({ __typename }: { __typename: string }) => __typename,
        },
      },
    },
    votes: {
      typeDefs: `
        type Query { best: Item!  unknown: Item }
        type Item @key(fields: "id") @interfaceObject { id: ID!  votes: Int! }`,
      resolvers: {
        Query: { best: () => ({ id: 'd1' }), unknown: () => ({ id: 'x' }) },
        Item: { votes: ({ id }: { id: string }) => id.length * 10 },
      },
    },
  });
  expect(
    await post(
      gateway.url,
      '{ items { __typename title votes ... on Book { pages } } best { __typename votes title ... on Disc { tracks } } }',
    ),
  ).toEqual({
    status: 200,
    data: {
      items: [
        { __typename: 'Book', title: 'A', votes: 20, pages: 7 },
        { __typename: 'Disc', title: 'B', votes: 20 },
      ],
      best: { __typename: 'Disc', votes: 20, title: 'B', tracks: 3 },
    },
  });
  const unknown = await post(gateway.url, '{ unknown { __typename votes } }');
  expect(unknown.data).toEqual({ unknown: null });
});

const ITEMS = [
  { __typename: 'Book', id: 'b1', title: 'A', pages: 7 },
  { __typename: 'Disc', id: 'd1', title: 'B', tracks: 3 },
];

test('@fromContext: arguments come from the data around each entity', async () => {
  await using gateway = await aGatewayOver({
    shops: {
      typeDefs: `
        type Query { shops: [Shop!]! }
        type Shop @key(fields: "id") @context(name: "shop") { id: ID!  currency: String!  goods: [Good!]! }
        type Good @key(fields: "id") { id: ID! label(currency: String @fromContext(field: "$shop { currency }")): String! }`,
      resolvers: {
        Query: { shops: () => [{ id: 's1' }, { id: 's2' }] },
        Shop: {
          __resolveReference: (shop: object) => shop,
          goods: ({ id }: { id: string }) => [{ id: `${id}-g1` }, { id: 'shared' }],
          currency: ({ id }: { id: string }) => (id === 's1' ? 'EUR' : 'USD'),
        },
        Good: {
          __resolveReference: (good: object) => good,
          label: ({ id }: { id: string }, { currency }: { currency: string }) => `${id} in ${currency}`,
        },
      },
    },
  });
  expect(await post(gateway.url, '{ shops { goods { label } } }')).toEqual({
    status: 200,
    data: {
      shops: [
        { goods: [{ label: 's1-g1 in EUR' }, { label: 'shared in EUR' }] },
        { goods: [{ label: 's2-g1 in USD' }, { label: 'shared in USD' }] },
      ],
    },
  });
});

test('@provides, @override and security directives load and answer', async () => {
  const definitions = {
    one: {
      typeDefs: `
        type Query { thing: Thing @provides(fields: "name")  mine: Thing @authenticated }
        type Thing @key(fields: "id") { id: ID!  name: String! @external  size: Int! }`,
      resolvers: {
        Query: { thing: () => ({ id: '1', name: 'provided', size: 1 }), mine: () => ({ id: '2', size: 1 }) },
        Thing: { __resolveReference: (thing: object) => ({ ...thing, size: 1 }) },
      },
    },
    two: {
      typeDefs: `
        type Thing @key(fields: "id") { id: ID!  name: String! @shareable  size: Int! @override(from: "one") }`,
      resolvers: { Thing: { __resolveReference: (thing: object) => ({ ...thing, name: 'looked up', size: 2 }) } },
    },
  };
  const viewer = { userId: 'u', sessionId: 's', scopes: [] };
  const endsAt = new Date(Date.now() + 600_000);
  await using gateway = await aGatewayOver(definitions, {
    authenticate: async () => ({ viewer, issuedAt: new Date(), endsAt }),
  });
  expect(await post(gateway.url, '{ thing { name } }')).toEqual({ status: 200, data: { thing: { name: 'provided' } } });
  expect(gateway.calls.map(({ subgraph }) => subgraph)).toEqual(['one']);
  expect(await post(gateway.url, '{ thing { size } mine { name } }')).toEqual({
    status: 200,
    data: { thing: { size: 2 }, mine: { name: 'looked up' } },
  });
});

test('an entity with several keys is found by the one its subgraph has', async () => {
  await using gateway = await aGatewayOver({
    a: {
      typeDefs: 'type Query { one: P } type P @key(fields: "sku") { sku: ID! }',
      resolvers: { Query: { one: () => ({ sku: 's' }) } },
    },
    b: {
      typeDefs:
        'type P @key(fields: "sku") @key(fields: "id part { of }") { sku: ID! id: ID! part: Part! } type Part @shareable { of: ID! }',
      resolvers: {
        P: { __resolveReference: ({ sku }: { sku: string }) => ({ sku, id: `id-${sku}`, part: { of: 'whole' } }) },
      },
    },
    c: {
      typeDefs:
        'type P @key(fields: "id part { of }") { id: ID! part: Part! deep: String! } type Part @shareable { of: ID! }',
      resolvers: {
        P: {
          __resolveReference: (p: { id: string; part: { of: string } }) => ({ ...p, deep: `${p.id}/${p.part.of}` }),
        },
      },
    },
  });
  expect(await post(gateway.url, '{ one { deep } }')).toEqual({ status: 200, data: { one: { deep: 'id-s/whole' } } });
});

test('plans are kept by text and operation name, and are not confused', async () => {
  await using gateway = await aGatewayOver({
    a: { typeDefs: 'type Query { x: Int y: Int }', resolvers: { Query: { x: () => 1, y: () => 2 } } },
  });
  const query = 'query X { v: x } query Y { v: y }';
  for (const [operationName, v] of [
    ['X', 1],
    ['Y', 2],
    ['X', 1],
  ] as const) {
    expect((await post(gateway.url, query, {}, { operationName })).data).toEqual({ v });
  }
});

describe('@override with a label', () => {
  const field = (from: string): { typeDefs: string; resolvers: object } => ({
    typeDefs: `type Thing @key(fields: "id") { id: ID!  ${from} }`,
    resolvers: {
      Thing: { __resolveReference: (thing: object) => thing, size: () => 2, weight: () => 2, age: () => 2 },
    },
  });
  const SUBGRAPHS = {
    old: {
      typeDefs:
        'type Query { thing: Thing } type Thing @key(fields: "id") { id: ID!  size: Int  weight: Int  age: Int }',
      resolvers: {
        Query: { thing: () => ({ id: '1' }) },
        Thing: { size: () => 1, weight: () => 1, age: () => 1 },
      },
    },
    new: field(`size: Int @override(from: "old", label: "moved")  weight: Int @override(from: "old", label: "percent(100)")
      age: Int @override(from: "old", label: "percent(0)")`),
  };
  const query = '{ thing { size weight age } }';

  test('a label of one’s own counts when it is on, percentages decide for themselves', async () => {
    await using off = await aGatewayOver(SUBGRAPHS);
    expect((await post(off.url, query)).data).toEqual({ thing: { size: 1, weight: 2, age: 1 } });
    await using on = await aGatewayOver(SUBGRAPHS, { overrideLabels: ['moved'] });
    expect((await post(on.url, query)).data).toEqual({ thing: { size: 2, weight: 2, age: 1 } });
  });

  test('percent(50) gives some requests the new subgraph and some the old one', async () => {
    await using gateway = await aGatewayOver({
      ...SUBGRAPHS,
      new: field('size: Int @override(from: "old", label: "percent(50)")'),
    });
    const sizes = new Set<unknown>();
    for (let time = 0; time < 200 && sizes.size < 2; time++)
      sizes.add(((await post(gateway.url, '{ thing { size } }')).data as { thing: { size: number } }).thing.size);
    expect(sizes).toEqual(new Set([1, 2]));
  });
});

test('what the planner has to rename comes back under its name, also 0 and false', async () => {
  const resolvers = { __resolveReference: ({ id }: { id: string }) => ({ id, value: Number(id) }) };
  await using gateway = await aGatewayOver({
    things: {
      typeDefs: `type Query { things: [Thing!]! }  union Thing = A | B
        type A @key(fields: "id") { id: ID! }  type B @key(fields: "id") { id: ID! }`,
      resolvers: {
        Query: {
          things: () => [
            { __typename: 'A', id: '0' },
            { __typename: 'B', id: '7' },
          ],
        },
        Thing: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
      },
    },
    // To clients both are nullable, because of the next subgraph; here they differ, and cannot share a response name.
    values: {
      typeDefs: `type A @key(fields: "id") { id: ID!  value: Int! @shareable }  type B @key(fields: "id") { id: ID!  value: Int }`,
      resolvers: { A: resolvers, B: resolvers },
    },
    others: {
      typeDefs: 'type A @key(fields: "id", resolvable: false) { id: ID!  value: Int @shareable }',
      resolvers: {},
    },
  });
  expect(await post(gateway.url, '{ things { ... on A { value } ... on B { value } } }')).toEqual({
    status: 200,
    data: { things: [{ value: 0 }, { value: 7 }] },
  });
  const [call] = gateway.calls.filter(({ subgraph }) => subgraph === 'values');
  expect(call?.query).toMatch(/value__alias_\d+:value/);
});
