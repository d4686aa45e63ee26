import { aRunningShop, type RunningShop } from '../testing/gateways';

const JSON_TYPE = 'application/json; charset=utf-8';
const RESPONSE_TYPE = 'application/graphql-response+json; charset=utf-8';

let running: RunningShop;
beforeAll(async () => {
  running = await aRunningShop('in process');
});
afterAll(() => running[Symbol.asyncDispose]());

interface Seen {
  status: number;
  headers: Record<string, string>;
  text: string;
}

async function send(body: unknown, headers: Record<string, string> = {}): Promise<Seen> {
  return seen(
    await fetch(running.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

async function get(search: string, headers: Record<string, string> = {}): Promise<Seen> {
  return seen(await fetch(`${running.url}?${search}`, { headers: { 'apollo-require-preflight': 'true', ...headers } }));
}

async function seen(response: Response): Promise<Seen> {
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

describe('the type of an answer', () => {
  test.each<[string, string]>([
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['application/graphql-response+json', RESPONSE_TYPE],
    ['application/graphql-response+json;charset=utf-8, application/json;q=0.9', RESPONSE_TYPE],
    ['application/graphql-response+json;q=0.1, application/json;q=0.9', JSON_TYPE],
    ['application/graphql-response+json, */*;q=0.1', RESPONSE_TYPE],
    ['text/html, application/json;q=0.5', JSON_TYPE],
    ['application/json;q=0, */*', RESPONSE_TYPE],
    ['multipart/mixed;deferSpec=20220824, application/json', JSON_TYPE],
    [`${'text/plain, '.repeat(100)}application/json`, JSON_TYPE],
  ])('Accept: %s', async (accept, type) => {
    const body = { query: 'query Types { product(upc: "b1") { title } }' };
    const answers = [await send(body, { accept }), await send(body, { accept })];
    expect(answers.map(({ status, headers }) => [status, headers['content-type']])).toEqual([
      [200, type],
      [200, type],
    ]);
  });

  test.each(['{"query":', '[]', '{"query":1}', '{"query":"{"}', '{"query":"{ nothing }"}'])(
    'is the accepted one for an error, too: %s',
    async (body) => {
      const { status, headers } = await send(body, { accept: 'application/graphql-response+json' });
      expect([status, headers['content-type']]).toEqual([400, RESPONSE_TYPE]);
    },
  );
});

describe('a client that takes no answer there is', () => {
  test.each(['text/plain', 'application/xml', 'application/json;q=0', 'application/json;charset=utf-16'])(
    'gets 406, and its mutation does not happen: %s',
    async (accept) => {
      running.shop.log.length = 0;
      const body = { query: `mutation { touchProducts touchAccounts }` };
      const statuses = [(await send(body, { accept })).status, (await send(body, { accept })).status];
      expect(statuses).toEqual([406, 406]);
      expect((await send({ ...body, extensions: {} }, { accept })).status).toBe(406);
      expect(running.shop.log).toEqual([]);
    },
  );
});

test('a client that takes only parts gets one part', async () => {
  const body = { query: '{ product(upc: "f1") { title } }' };
  const accept = 'multipart/mixed;deferSpec=20220824';
  for (const { status, headers, text } of [await send(body, { accept }), await send(body, { accept })]) {
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('multipart/mixed')]);
    expect(text).toContain('{"data":{"product":{"title":"Sneakers"}},"hasNext":false}');
  }
});

describe('what is wrong with an operation', () => {
  const wrong: [string, object][] = [
    ['a document that cannot be parsed', { query: '{' }],
    ['an invalid document', { query: '{ nothing }' }],
    [
      'an operation over a limit',
      { query: `{ ${'me { partner '.repeat(2)} ${'{ partner '.repeat(16)} { id } ${'}'.repeat(18)} }` },
    ],
    ['variables that do not fit', { query: 'query ($id: ID!) { user(id: $id) { id } }', variables: {} }],
    ['an unknown operation', { query: 'query A { me { id } }', operationName: 'B' }],
    ['no name for several operations', { query: 'query A { me { id } } query B { me { id } }' }],
  ];
  test.each(wrong)('%s: 200 as application/json, 400 as the newer type and for who names none', async (_, body) => {
    const accepts = ['application/json', 'application/graphql-response+json', '*/*'];
    const answers = await Promise.all(accepts.map((accept) => send(body, { accept })));
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400]);
    expect(answers.map(({ text }) => text)).toEqual(Array(3).fill(answers[0]!.text));
    expect(Object.keys(JSON.parse(answers[0]!.text) as object)).toEqual(['errors']);
  });
});

describe('an operation name that is empty is none', () => {
  const two = 'query A { me { id } } mutation B { touchProducts }';

  test('by POST', async () => {
    const body = { query: 'query Only { me { id } }', operationName: '' };
    const answers = [await send(body), await send(body)];
    expect(answers.map(({ text }) => text)).toEqual(Array(2).fill('{"data":{"me":{"id":"u1"}}}\n'));
    expect((await send({ query: two, operationName: '' })).status).toBe(400);
  });

  test('by GET, where a mutation stays refused', async () => {
    running.shop.log.length = 0;
    const search = (query: string) => new URLSearchParams({ query, operationName: '' }).toString();
    expect((await get(search('query Only { me { id } }'))).text).toBe('{"data":{"me":{"id":"u1"}}}\n');
    const { status, headers } = await get(search('mutation B { touchProducts }'));
    expect([status, headers['allow']]).toEqual([405, 'POST']);
    expect(running.shop.log).toEqual([]);
  });
});

test('the name null of a GET is a name', async () => {
  const search = new URLSearchParams({
    query: 'query A { me { id } } query null { me { name } }',
    operationName: 'null',
  });
  expect((await get(search.toString())).text).toBe('{"data":{"me":{"name":"Ada"}}}\n');
});

test.each(['query', 'operationName', 'variables', 'extensions'])(
  'the parameter %s given twice is refused',
  async (name) => {
    expect((await get(`query={me{id}}&${name}=&${name}=`)).status).toBe(400);
  },
);
