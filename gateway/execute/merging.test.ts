import { aGatewayOver, type TestSubgraph } from '../testing/compose';
import { post } from '../testing/gateways';

const USERS = {
  typeDefs: `
    type Query { me: User  friend: User }
    type User @key(fields: "id") { id: ID!  name: String! }`,
  resolvers: {
    Query: { me: () => ({ id: 'u1', name: 'Ada' }), friend: () => ({ id: 'u2', name: 'Grace' }) },
    User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `name of ${id}` }) },
  },
};

const POSTS = {
  typeDefs: `
    type Query { post: Post }
    type Post @key(fields: "id") { id: ID!  writer: User  readers: [User!]! }
    type User @key(fields: "id") { id: ID!  posts: [Post!]! }`,
  resolvers: {
    Query: { post: () => POST },
    Post: { __resolveReference: () => POST },
    User: { __resolveReference: (user: object) => user, posts: () => [POST] },
  },
};
const POST = { id: 'p1', writer: { id: 'u1' }, readers: [{ id: 'u2' }, { id: 'u3' }, { id: 'u2' }] };

/** Knows users and posts; of one of them perhaps nothing. */
function likes(unknown?: string): TestSubgraph {
  const count = ({ id }: { id: string }): number => {
    if (id === unknown) throw new Error('no likes');
    return id.length;
  };
  return {
    typeDefs: `
      type User @key(fields: "id") { id: ID!  likes: Int }
      type Post @key(fields: "id") { id: ID!  likes: Int }`,
    resolvers: { User: { likes: count }, Post: { likes: count } },
  };
}

test('entities of two types at one level are asked for in one request', async () => {
  await using gateway = await aGatewayOver({ users: USERS, posts: POSTS, likes: likes() });
  const answer = await post(gateway.url, '{ me { likes } post { likes } }');
  expect(answer).toEqual({ status: 200, data: { me: { likes: 2 }, post: { likes: 2 } } });
  const [call, ...others] = gateway.calls.filter(({ subgraph }) => subgraph === 'likes');
  expect(others).toEqual([]);
  expect(call?.query.match(/_entities/g)).toHaveLength(2);
  expect(call?.variables).toEqual({
    _0: [{ __typename: 'User', id: 'u1' }],
    _1: [{ __typename: 'Post', id: 'p1' }],
  });
});

test('what is asked of entities at several places is asked once', async () => {
  await using gateway = await aGatewayOver({ users: USERS, posts: POSTS, likes: likes() });
  const answer = await post(
    gateway.url,
    '{ me { likes } friend { likes } post { writer { likes } readers { likes } } }',
  );
  expect(answer.data).toEqual({
    me: { likes: 2 },
    friend: { likes: 2 },
    post: { writer: { likes: 2 }, readers: [{ likes: 2 }, { likes: 2 }, { likes: 2 }] },
  });
  const calls = gateway.calls.filter(({ subgraph }) => subgraph === 'likes');
  expect(calls.map(({ variables }) => variables)).toEqual([
    {
      representations: [
        { __typename: 'User', id: 'u1' },
        { __typename: 'User', id: 'u2' },
        { __typename: 'User', id: 'u3' },
      ],
    },
  ]);
});

test('an error of one entity is told at all of its places and nowhere else', async () => {
  await using gateway = await aGatewayOver({
    users: USERS,
    posts: POSTS,
    likes: likes('u2'),
  });
  const { data, errors } = await post(gateway.url, '{ friend { likes } post { likes readers { id likes } } }');
  expect(data).toEqual({
    friend: { likes: null },
    post: {
      likes: 2,
      readers: [
        { id: 'u2', likes: null },
        { id: 'u3', likes: 2 },
        { id: 'u2', likes: null },
      ],
    },
  });
  expect(errors?.map(({ path }) => path?.join('.')).sort()).toEqual([
    'friend.likes',
    'post.readers.0.likes',
    'post.readers.2.likes',
  ]);
});

test('a request that fails as a whole is repeated part by part, so that only one part fails', async () => {
  await using gateway = await aGatewayOver({
    users: USERS,
    posts: POSTS,
    likes: { ...likes(), refuses: (query) => query.includes('on Post') },
  });
  const { data, errors } = await post(gateway.url, '{ me { likes } post { id likes } }');
  expect(data).toEqual({ me: { likes: 2 }, post: { id: 'p1', likes: null } });
  expect(errors?.map(({ path, message }) => [path?.join('.'), message])).toEqual([['post', 'Refused as a whole.']]);
  expect(gateway.calls.filter(({ subgraph }) => subgraph === 'likes')).toHaveLength(3);
});

test('a required scalar nested without end is an error at its field, and the others are answered', async () => {
  const deep: unknown[] = [];
  let inner = deep;
  for (let level = 0; level < 50_000; level++) inner.push((inner = []));
  await using gateway = await aGatewayOver({
    things: {
      typeDefs:
        'scalar Any  type Query { thing: Thing } type Thing @key(fields: "id") { id: ID!  any: Any  name: String }',
      resolvers: { Query: { thing: () => ({ id: '1', any: deep, name: 'A' }) } },
    },
    sizes: {
      typeDefs:
        'scalar Any  type Thing @key(fields: "id") { id: ID!  any: Any @external  size: Int @requires(fields: "any") }',
      resolvers: { Thing: { size: () => 1 } },
    },
  });
  for (const [query, field] of [
    ['{ thing { name size } }', 'size'],
    ['{ thing { name any } }', 'any'],
  ] as const) {
    const { data, errors } = await post(gateway.url, query);
    expect(data).toEqual({ thing: { name: 'A', [field]: null } });
    expect(errors).toEqual([
      { message: expect.any(String), path: ['thing', field], extensions: { code: 'SUBGRAPH_BAD_RESPONSE' } },
    ]);
  }
});
