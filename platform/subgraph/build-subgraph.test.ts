import { silentLogger } from '../logger';
import type { Viewer } from '../identity/viewer';
import { ask } from '../testing/calls';
import { buildSubgraph } from './build-subgraph';
import type { Subgraph } from './subgraph';

const viewer = (...scopes: string[]): Viewer => ({ userId: 'usr_1', sessionId: 'ses_1', scopes });

/** Representations that the reference resolvers got. */
const seen: unknown[] = [];

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.6",
  import: ["@key", "@requires", "@external", "@authenticated", { name: "@requiresScopes", as: "@needs" }])`;
const TYPES = `${LINK}
  type Query { open: Int  member: Int @authenticated  box: Box  kept: Kept  code: Code }
  type Mutation { act: Int @needs(scopes: [["act", "twice"], ["all"]]) }
  type Subscription { ticks: Int @authenticated }
  scalar Code @needs(scopes: [["code"]])
  type Box @key(fields: "id") @key(fields: "place { code }") { id: ID!  owner: String @needs(scopes: [["owner"]])  place: Place
    size: Int @external  weight: Int @requires(fields: "size parts { ... on Part { width } }")  parts: [Part!] @external }
  type Place { code: ID  name: String }
  type Part { width: Int  secret: String }
  type Kept @key(fields: "id") @needs(scopes: [["kept"]]) { id: ID!  text: String }
  type Stub @key(fields: "id", resolvable: false) { id: ID! }`;

const subgraph: Subgraph = buildSubgraph({
  name: 'boxes',
  typeDefs: TYPES,
  resolvers: {
    Query: {
      open: () => 1,
      member: () => 2,
      box: () => ({ id: 'b', owner: 'me' }),
      kept: () => ({ id: 'k', text: 'kept' }),
      code: () => 'code',
    },
    Mutation: { act: () => 3 },
    Subscription: {
      ticks: {
        async *subscribe() {
          yield { ticks: 1 };
        },
      },
    },
    Box: {
      __resolveReference(representation: object) {
        seen.push(representation);
        return { ...representation, owner: 'me' };
      },
    },
    Kept: {
      __resolveReference(representation: object) {
        seen.push(representation);
        return { ...representation, text: 'kept' };
      },
    },
  },
  createContext: () => ({}),
  logger: silentLogger,
  ready: async () => {},
});

const ENTITIES =
  'query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Box { owner } ... on Kept { id text } } }';
const codesOf = async (asked: ReturnType<typeof ask>) =>
  (await asked).errors?.map(({ extensions }) => extensions?.['code']);

beforeEach(() => void seen.splice(0));

describe('the rules of its own schema', () => {
  test.each<[query: string, allowed: Viewer]>([
    ['{ member }', viewer()],
    ['mutation { act }', viewer('act', 'twice')],
    ['mutation { act }', viewer('all')],
    ['{ box { owner } }', viewer('owner')],
    ['{ kept { id } }', viewer('kept')],
    ['{ code }', viewer('code')],
  ])('%s is for whom they hold', async (query, allowed) => {
    expect(await codesOf(ask(subgraph, null, query))).toEqual(['UNAUTHENTICATED']);
    expect((await ask(subgraph, allowed, query)).errors).toBeUndefined();
    if (allowed.scopes.length === 0) return;
    expect(await codesOf(ask(subgraph, viewer(...allowed.scopes.slice(1), 'other'), query))).toEqual(['FORBIDDEN']);
  });

  test('what has none is for everybody, beside what has', async () => {
    expect(await ask(subgraph, null, '{ open member box { id } }')).toMatchObject({
      data: { open: 1, member: null, box: { id: 'b' } },
    });
  });

  test('a subscription does not begin for whom they do not hold', async () => {
    const { signal } = new AbortController();
    const query = 'subscription { ticks }';
    const first = async (asker: Viewer | null) =>
      (await subgraph.subscribe({ query }, { identity: { viewer: asker, requestId: 'r' }, signal }).next()).value;
    expect(await first(null)).toMatchObject({ errors: [{ path: ['ticks'], extensions: { code: 'UNAUTHENTICATED' } }] });
    expect(await first(viewer())).toEqual({ data: { ticks: 1 } });
  });

  test('an entity is not even looked up for whom they do not hold, and the others are', async () => {
    const of = [
      { __typename: 'Kept', id: 'k' },
      { __typename: 'Box', id: 'b' },
    ];
    const { data, errors } = await ask(subgraph, viewer('owner'), ENTITIES, { of });
    expect(data).toEqual({ _entities: [null, { __typename: 'Box', owner: 'me' }] });
    expect(errors).toMatchObject([{ path: ['_entities', 0], extensions: { code: 'FORBIDDEN' } }]);
    expect(seen).toEqual([{ __typename: 'Box', id: 'b' }]);
    expect((await ask(subgraph, viewer('kept'), ENTITIES, { of: of.slice(0, 1) })).data).toEqual({
      _entities: [{ __typename: 'Kept', id: 'k', text: 'kept' }],
    });
  });
});

describe('representations', () => {
  test('are seen by reference resolvers with their keys and required fields only', async () => {
    const given = {
      __typename: 'Box',
      id: 'b',
      ownerId: 'me',
      owner: 'thief',
      size: 3,
      place: { code: 'c', name: 'forged' },
      parts: [{ __typename: 'Part', width: 1, secret: 'forged' }],
      ['__proto__']: { admin: true },
      constructor: { name: 'x' },
    };
    await ask(subgraph, viewer('owner'), ENTITIES, { of: [JSON.parse(JSON.stringify(given)) as object] });
    expect(seen).toEqual([
      { __typename: 'Box', id: 'b', size: 3, place: { code: 'c' }, parts: [{ __typename: 'Part', width: 1 }] },
    ]);
  });

  test.each([
    ['no type', { id: 'b' }],
    ['the type Query', { __typename: 'Query', id: 'b' }],
    ['a type that is no entity', { __typename: 'Place', code: 'c' }],
    ['an entity of another subgraph', { __typename: 'Stub', id: 's' }],
    ['an unknown type', { __typename: 'Nothing', id: 'b' }],
    ['the type __proto__', { __typename: '__proto__', id: 'b' }],
    ['a type that is no text', { __typename: ['Box'], id: 'b' }],
    ['no object', 'Box'],
    ['a list', [{ __typename: 'Box', id: 'b' }]],
  ])('with %s are refused, and leave the others alone', async (_, representation) => {
    const of = [representation, { __typename: 'Box', id: 'b' }];
    const { data, errors } = await ask(subgraph, viewer('owner'), ENTITIES, { of });
    expect(data).toEqual({ _entities: [null, { __typename: 'Box', owner: 'me' }] });
    expect(errors).toMatchObject([{ path: ['_entities', 0], extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(seen).toHaveLength(1);
  });

  test('are at most 1 000 in one field: one more, and none is looked up', async () => {
    const of = Array.from({ length: 1_001 }, (_, index) => ({ __typename: 'Box', id: `b${index}` }));
    expect((await ask(subgraph, viewer('owner'), ENTITIES, { of: of.slice(1) })).errors).toBeUndefined();
    expect(seen.splice(0)).toHaveLength(1_000);
    expect(await codesOf(ask(subgraph, viewer('owner'), ENTITIES, { of }))).toEqual(['BAD_USER_INPUT']);
    expect(seen).toEqual([]);
  });
});
