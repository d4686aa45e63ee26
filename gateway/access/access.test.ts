import type { AuthorizationOptions } from './access';
import { aRawSocket } from '../testing/socket-client';
import { ask, authorizationOf, guardedWorld, type GuardedWorld } from '../testing/guarded';

let world: GuardedWorld;
beforeAll(async () => {
  world = await guardedWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => void world.calls.splice(0));

const SIGN_IN = { message: expect.stringMatching(/^Sign in first/) as string, extensions: { code: 'UNAUTHENTICATED' } };
const forbidden = (path: (string | number)[]) => ({ path, extensions: { code: 'FORBIDDEN' } });

/** Everything the subgraphs were asked, as one text. */
const asked = (): string => world.calls.map(({ query }) => query).join('\n');

describe('what is not for the caller is null with an error, and nothing is fetched for it', () => {
  test.each<[what: string, query: string, data: unknown, paths: (string | number)[][], neverAsked: RegExp]>([
    ['a root field', '{ open locked }', { open: 'open', locked: null }, [['locked']], /locked/],
    ['a nested field', '{ me { name email } }', { me: { name: 'Ada', email: null } }, [['me', 'email']], /email/],
    [
      'an alias',
      '{ me { e: email f: email } }',
      { me: { e: null, f: null } },
      [
        ['me', 'e'],
        ['me', 'f'],
      ],
      /email/,
    ],
    [
      'a field of a fragment',
      '{ me { ...p } } fragment p on Person { name ... on Person { email } }',
      { me: { name: 'Ada', email: null } },
      [['me', 'email']],
      /email/,
    ],
    [
      'a field of each object of a list',
      '{ people { name email } }',
      {
        people: [
          { name: 'Ada', email: null },
          { name: 'Bob', email: null },
        ],
      },
      [
        ['people', 0, 'email'],
        ['people', 1, 'email'],
      ],
      /email/,
    ],
    ['a field of another subgraph', '{ me { reviews } }', { me: { reviews: null } }, [['me', 'reviews']], /reviews/],
    ['a field whose object has nothing else', '{ me { email } }', { me: { email: null } }, [['me', 'email']], /email/],
    ['a field that requires protected ones', '{ me { rank } }', { me: { rank: null } }, [['me', 'rank']], /rank|email/],
    ['a field of a protected type', '{ secret { __typename } }', { secret: null }, [['secret']], /secret/],
    ['a field of a protected scalar', '{ code }', { code: null }, [['code']], /code/],
    ['a field of a protected enum', '{ mood moods }', { mood: null, moods: null }, [['mood'], ['moods']], /mood/],
    [
      'below an interface, on the types where it is protected',
      '{ things { id hidden } }',
      { things: [{ id: 'b', hidden: null }, { id: 'f', hidden: 'film' }, null] },
      [
        ['things', 0, 'hidden'],
        ['things', 2],
      ],
      /on Book\{[^}]*hidden|on Vault/,
    ],
    [
      'below a union',
      '{ any { ... on Book { id hidden } ... on Vault { id } ... on Film { id } } }',
      { any: [{ id: 'b', hidden: null }, { id: 'f' }, null] },
      [
        ['any', 0, 'hidden'],
        ['any', 2],
      ],
      /hidden|on Vault/,
    ],
    [
      'an object of a protected type, whatever is asked of it',
      '{ things { __typename } any { __typename } }',
      {
        things: [{ __typename: 'Book' }, { __typename: 'Film' }, null],
        any: [{ __typename: 'Book' }, { __typename: 'Film' }, null],
      },
      [
        ['things', 2],
        ['any', 2],
      ],
      /Vault/,
    ],
    [
      'an entity that another subgraph found',
      '{ latest { about { ... on Book { id rating notes } ... on Vault { weight } } } }',
      { latest: [{ about: { id: 'b', rating: 5, notes: null } }, { about: null }] },
      [
        ['latest', 0, 'about', 'notes'],
        ['latest', 1, 'about'],
      ],
      /notes|weight/,
    ],
    ['by id, through a node field', '{ node(id: "v") { id name } }', { node: null }, [['node']], /on Vault/],
    [
      'beside __typename',
      '{ __typename me { __typename email } }',
      { __typename: 'Query', me: { __typename: 'Person', email: null } },
      [['me', 'email']],
      /email/,
    ],
  ])('%s', async (_, query, data, paths, neverAsked) => {
    const anonymous = await ask(world, query);
    expect(anonymous.body).toEqual({ data, errors: expect.any(Array) as unknown });
    expect(anonymous.body.errors).toEqual(paths.map((path) => ({ ...SIGN_IN, path })));
    const nobody = await ask(world, query, { scopes: [] });
    expect(nobody.body.errors?.map(({ extensions }) => extensions.code)).not.toContain('UNAUTHENTICATED');
    expect(asked()).not.toMatch(neverAsked);
    const all = await ask(world, query, { scopes: ['pii', 'read', 'admin', 'vault', 'code', 'staff'] });
    expect(all.body.errors).toBeUndefined();
    expect(JSON.stringify(all.body.data)).not.toContain('null');
  });

  test('a null where there may be none empties what is around it', async () => {
    const { body } = await ask(world, '{ me { friend { name salary } } people { name salary } }', { scopes: [] });
    expect(body).toMatchObject({
      data: null,
      errors: [
        forbidden(['me', 'friend', 'salary']),
        forbidden(['people', 0, 'salary']),
        forbidden(['people', 1, 'salary']),
      ],
    });
    const { body: one } = await ask(world, '{ open me { friend { salary } } }', { scopes: [] });
    expect(one.data).toEqual({ open: 'open', me: { friend: null } });
  });

  test('of one field 100 places are told, and the rest is null all the same', async () => {
    const { body } = await ask(world, '{ many { email } }');
    expect(body.errors).toHaveLength(100);
    expect(body.data?.['many']).toEqual(Array.from({ length: 150 }, () => ({ email: null })));
  });

  test('nothing is run when the whole answer will be null, of a mutation least of all', async () => {
    const { body } = await ask(world, 'mutation { touch must other: must }', { scopes: [] });
    expect(body).toMatchObject({ data: null, errors: [forbidden(['must']), forbidden(['other'])] });
    expect(world.calls).toEqual([]);
    const { body: partial } = await ask(world, 'mutation { touch write }', { scopes: [] });
    expect(partial.data).toEqual({ touch: 1, write: null });
    expect(asked()).not.toContain('write');
  });

  test('what variables leave out is not missed', async () => {
    const query = 'query ($all: Boolean!) { me { name email @include(if: $all) } }';
    expect((await ask(world, query, { variables: { all: false } })).body).toEqual({ data: { me: { name: 'Ada' } } });
    expect((await ask(world, query, { variables: { all: true } })).body.errors).toHaveLength(1);
  });

  test('of several operations in a document only the one that is run counts', async () => {
    const query = 'query open { open } query locked { locked } fragment p on Person { email }';
    expect((await ask(world, `${query} query p { me { ...p } }`, { operationName: 'open' })).body).toEqual({
      data: { open: 'open' },
    });
  });
});

test('whoever is signed in is authenticated, without any scope', async () => {
  expect((await ask(world, '{ member }')).body).toEqual({
    data: { member: null },
    errors: [{ ...SIGN_IN, path: ['member'] }],
  });
  expect((await ask(world, '{ member }', { scopes: [] })).body).toEqual({ data: { member: 'member' } });
});

test('scopes are alternatives of lists of which all are needed', async () => {
  const query = '{ me { email } }';
  const emailFor = async (...scopes: string[]): Promise<unknown> =>
    (await ask(world, query, { scopes })).body.data!['me'];
  expect(await emailFor('read')).toEqual({ email: null });
  expect(await emailFor('pii')).toEqual({ email: null });
  expect(await emailFor('read', 'pii')).toEqual({ email: 'ada@example.org' });
  expect(await emailFor('admin')).toEqual({ email: 'ada@example.org' });
  const { body } = await ask(world, query, { scopes: ['pii'] });
  expect(body.errors![0]!.message).toBe(
    'You are not allowed to use Person.email. It needs the scope "read" with "pii" or the scope "admin".',
  );
});

test('callers with different rights get their own answers to one known document, in any order', async () => {
  const query = '{ me { name email salary } }';
  const dataFor = async (scopes?: string[]) => (await ask(world, query, scopes ? { scopes } : {})).body.data;
  for (let round = 0; round < 3; round++) {
    expect(await dataFor()).toEqual({ me: null });
    expect(await dataFor(['admin'])).toEqual({ me: { name: 'Ada', email: 'ada@example.org', salary: 7 } });
    expect(await dataFor(['read', 'pii'])).toEqual({ me: null });
  }
});

test('a policy holds for whom the gateway is told so, and for nobody when that fails or is not set up', async () => {
  const query = '{ latest { about { ... on Book { notes } } } }';
  const notes = async (policies: AuthorizationOptions['policies']): Promise<unknown> => {
    await using other = await guardedWorld(policies ? { policies } : {});
    return (await ask(other, query, { scopes: ['vault'] })).body.data!['latest'];
  };
  const denied = [{ about: { notes: null } }, { about: {} }];
  const allowed = [{ about: { notes: 'dull' } }, { about: {} }];
  expect(await notes(undefined)).toEqual(denied);
  expect(await notes((names) => names)).toEqual(allowed);
  expect(await notes(async (names, caller) => (caller.identity.viewer ? names : []))).toEqual(allowed);
  expect(await notes(() => ['another'])).toEqual(denied);
  expect(await notes(() => Promise.reject(new Error('down')))).toEqual(denied);
});

describe('with mode "refuse"', () => {
  let strict: GuardedWorld;
  beforeAll(async () => {
    strict = await guardedWorld({ mode: 'refuse' });
  });
  afterAll(() => strict[Symbol.asyncDispose]());

  test.each([
    ['an anonymous caller', undefined, 401, 'UNAUTHENTICATED'],
    ['one without the scope', [], 403, 'FORBIDDEN'],
  ])('%s gets no data, and nothing is run, also when the document is known', async (_, scopes, status, code) => {
    for (const query of [
      '{ open me { email } }',
      'mutation { touch write }',
      '{ things { id hidden } vault: node(id: "v") { id } }',
    ]) {
      if (query.includes('hidden') && scopes) continue;
      await ask(strict, query, { scopes: ['read', 'pii', 'write', 'vault'] });
      strict.calls.splice(0);
      for (let round = 0; round < 2; round++) {
        const answer = await ask(strict, query, scopes ? { scopes } : {});
        expect([answer.status, answer.body]).toEqual([
          status,
          { errors: [expect.objectContaining({ extensions: { code } })] },
        ]);
      }
      expect(strict.calls).toEqual([]);
    }
  });

  test('what is for the caller is answered, also beside what variables leave out', async () => {
    const query = 'query ($all: Boolean!) { open me { email @include(if: $all) } }';
    expect((await ask(strict, query, { variables: { all: false } })).body.errors).toBeUndefined();
    expect((await ask(strict, query, { variables: { all: true } })).status).toBe(401);
  });

  test('over WebSocket an operation is refused with an error message', async () => {
    const socket = await aRawSocket(strict.webSocketUrl, { init: null });
    socket.send({ type: 'subscribe', id: 'q', payload: { query: '{ open locked }' } });
    expect((await socket.receive('error', 'q')).payload).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    socket.socket.terminate();
  });
});

describe('@defer', () => {
  const deferred = (query: string, authorization?: string): Promise<string> =>
    fetch(world.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'multipart/mixed;deferSpec=20220824',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify({ query }),
    }).then((response) => response.text());

  test('shows and fetches no more than without it', async () => {
    const query = '{ me { name ... @defer { email reviews } } }';
    const text = await deferred(query);
    expect(text).toContain('"data":{"me":{"name":"Ada","email":null,"reviews":null}},"hasNext":false');
    expect(text.match(/UNAUTHENTICATED/g)).toHaveLength(2);
    expect(asked()).not.toMatch(/email|reviews/);
    expect(await deferred(query, authorizationOf(['admin']))).toContain(
      '"data":{"email":"ada@example.org","reviews":["good"]}',
    );
  });

  test('parts with objects of protected types say nothing about them', async () => {
    const text = await deferred('{ open ... @defer { any { __typename } } }');
    expect(text).not.toContain('Vault');
    expect(text).toContain('UNAUTHENTICATED');
  });
});
