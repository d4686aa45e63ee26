import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { GatewayOptions } from '../options';
import { post, withAccounts, type Answer } from '../testing/gateways';
import { besideHonest, noFigures, report } from '../testing/honest';
import { aRawSubgraph } from '../testing/raw-subgraph';
import { aRawSocket, resultsOf } from '../testing/socket-client';

type Answering = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const figures = noFigures();
afterAll(() => report('hostile answers', figures));

const BAD = 'SUBGRAPH_BAD_RESPONSE';
const text =
  (body: string): Answering =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(body);
const me = (fields: string): Answering => text(`{"data":{"me":${fields}}}`);
const codesOf = ({ errors }: Answer): unknown[] =>
  (errors ?? []).map(({ path, extensions }) => [path?.join('.'), extensions.code]);

/** Asks a gateway whose `accounts` answers so, with an honest client beside that needs other subgraphs only. */
async function ask(
  answering: Answering,
  query: string,
  options: Partial<GatewayOptions> = {},
): Promise<Answer & { status: number }> {
  await using raw = await aRawSubgraph(answering);
  await using gateway = await withAccounts(raw.url, { development: false, ...options });
  return await besideHonest(gateway.url, figures, () => post(gateway.url, query));
}

describe('a value of another type', () => {
  test.each<[string, string, string, unknown]>([
    ['an object for a text', '{"name":{"polluted":1}}', 'me { name }', null],
    ['a list for a text', '{"name":["A"]}', 'me { name }', null],
    ['a number for a text', '{"name":1}', 'me { name }', null],
    ['an object for a nullable text', '{"email":{"a":1}}', 'me { email }', { email: null }],
    ['a text for a list', '{"tags":"a"}', 'me { tags }', null],
    ['an object for a list', '{"tags":{"0":"a","length":1}}', 'me { tags }', null],
    ['a list within a list', '{"tags":[["a"]]}', 'me { tags }', null],
    ['a list for an object', '[{"name":"A"}]', 'me { name }', null],
    ['a text for an object', '"A"', 'me { name }', null],
    ['true for an object', 'true', 'me { name }', null],
    ['a list for a nested object', '{"partner":[]}', 'me { partner { name } }', { partner: null }],
    ['an empty object', '{}', 'me { name }', null],
    ['keys nobody asked for', '{"name":"A","password":"SECRET","errors":[1]}', 'me { name }', { name: 'A' }],
  ])('%s', async (_, fields, query, expected) => {
    const answer = await ask(me(fields), `{ ${query} product(upc: "b1") { title } }`);
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ me: expected, product: { title: 'Notes' } });
    const isRight = expected !== null && !Object.values(expected as object).includes(null);
    expect((answer.errors ?? []).map(({ extensions }) => extensions.code)).toEqual(isRight ? [] : [BAD]);
    expect(JSON.stringify(answer)).not.toMatch(/SECRET|polluted/);
  });

  test.each([
    ['another possible type', 'Film'],
    ['a type of the schema that is not possible here', 'Query'],
    ['a type that does not exist', 'Admin'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
  ])('an object that calls itself %s', async (_, name) => {
    const answer = await ask(me(`{"__typename":"${name}","id":"u1","name":"A"}`), '{ me { __typename name karma } }');
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual({ me: null });
    expect(new Set((answer.errors ?? []).map(({ extensions }) => extensions.code))).toEqual(new Set([BAD]));
  });

  test.each(['[]', '5', '"x"', 'null', '{}', '{"me":5}', '[{"me":{"name":"A"}}]'])('data that is %s', async (data) => {
    const answer = await ask(text(`{"data":${data}}`), '{ me { name } product(upc: "b1") { title } }');
    expect([answer.status, answer.data]).toEqual([200, { me: null, product: { title: 'Notes' } }]);
    expect((answer.errors ?? []).map(({ extensions }) => extensions.code)).toEqual([BAD]);
  });

  test.each(['1e400', '-1e400', '"1"', '0.5', 'true', '[1]', '{"n":1}'])('%s for a whole number', async (value) => {
    await using raw = await aRawSubgraph(text(`{"data":{"touchAccounts":${value}}}`));
    await using gateway = await withAccounts(raw.url);
    const answer = await post(gateway.url, 'mutation { touchAccounts }');
    expect([answer.data, codesOf(answer)]).toEqual([null, [['touchAccounts', BAD]]]);
  });
});

describe('names that every object inherits', () => {
  const evil =
    '"__proto__":{"polluted":1,"name":"EVIL"},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":2';

  test.each([
    ['beside data', `{${evil},"data":{"me":{"name":"A"}}}`],
    ['in data', `{"data":{${evil},"me":{"name":"A"}}}`],
    ['in an object', `{"data":{"me":{${evil},"name":"A"}}}`],
  ])('%s', async (_, body) => {
    const answer = await ask(text(body), '{ me { name } }');
    expect(answer).toEqual({ status: 200, data: { me: { name: 'A' } } });
  });

  test('in entities, at every level', async () => {
    const entity = `{${evil},"__typename":"User","name":"A","partner":{${evil},"name":"B"}}`;
    const answering: Answering = (request, response, body) => {
      const { representations } = (JSON.parse(body) as { variables: { representations: unknown[] } }).variables;
      text(`{"data":{${evil},"_entities":[${representations.map(() => entity).join()}]}}`)(request, response, body);
    };
    const answer = await ask(answering, '{ latest(first: 3) { author { name partner { name } } } }');
    const author = { name: 'A', partner: { name: 'B' } };
    expect(answer).toEqual({ status: 200, data: { latest: [{ author }, { author }, { author }] } });
  });

  test('in errors and their extensions', async () => {
    const answer = await ask(
      text(
        `{"data":{"me":null},"errors":[{${evil},"message":"No.","path":["__proto__","constructor"],"extensions":{${evil},"code":"__proto__"}}]}`,
      ),
      '{ me { name } }',
    );
    expect(answer.data).toEqual({ me: null });
    expect(answer.errors).toEqual([expect.objectContaining({ message: 'No.', extensions: { code: '__proto__' } })]);
  });

  test('as the only way to what was asked for', async () => {
    const answer = await ask(me('{"__proto__":{"name":"EVIL"}}'), '{ me { name } }');
    expect([answer.data, answer.errors?.[0]?.extensions.code]).toEqual([{ me: null }, BAD]);
  });
});

describe('errors', () => {
  const errorsOf = (path: string): Answering =>
    text(`{"data":{"me":null},"errors":[{"message":"No.","path":${path}}]}`);

  test.each([
    ['a text', '"me"'],
    ['a number', '5'],
    ['an object', '{"0":"me"}'],
    ['objects in a list', '[{"a":1},null,[["me"]],true]'],
    ['nothing', 'null'],
    ['another field', '["product","title"]'],
    ['negative and endless numbers', '["me",-1,1e400,0.5]'],
    ['10 000 steps', `[${Array(10_000).fill('"me"').join()}]`],
    ['a step of 1 MB', `["${'x'.repeat(1_000_000)}"]`],
  ])('with a path that is %s', async (_, path) => {
    const answer = await ask(errorsOf(path), '{ me { name } product(upc: "b1") { title } }');
    expect([answer.status, answer.data]).toEqual([200, { me: null, product: { title: 'Notes' } }]);
    expect(answer.errors!.length).toBeGreaterThan(0);
    for (const error of answer.errors!)
      expect((error.path ?? []).every((step) => typeof step === 'string' || Number.isInteger(step))).toBe(true);
    expect(JSON.stringify(answer).length).toBeLessThan(5_000);
  });

  test('with a code of 1 MB, or one that is no text', async () => {
    const codes = [`"${'x'.repeat(1_000_000)}"`, '{"a":1}', '5', 'null'];
    const errors = codes.map((code) => `{"message":"No.","path":["me"],"extensions":{"code":${code}}}`);
    const answer = await ask(text(`{"data":{"me":null},"errors":[${errors.join()}]}`), '{ me { name } }');
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(codes.map(() => 'INTERNAL'));
  });

  test.each([
    ['null', '[null]'],
    ['texts', '["No.",5,[]]'],
    ['objects without a message', '[{},{"message":null},{"message":{"a":1}}]'],
    ['a message of 1 MB', `[{"message":"${'x'.repeat(1_000_000)}"}]`],
  ])('that are %s', async (_, errors) => {
    const answer = await ask(
      text(`{"data":{"me":null},"errors":${errors}}`),
      '{ me { name } product(upc: "b1") { title } }',
    );
    expect([answer.status, answer.data]).toEqual([200, { me: null, product: { title: 'Notes' } }]);
    for (const { message } of answer.errors!) {
      expect(typeof message).toBe('string');
      expect(message.length).toBeLessThan(10_000);
    }
  });

  test('100 000 in one answer', async () => {
    const errors = Array.from({ length: 100_000 }, (_, index) => `{"message":"No. ${index}","path":["me"]}`).join();
    const answer = await ask(
      text(`{"data":{"me":null},"errors":[${errors}]}`),
      '{ me { name } product(upc: "b1") { title } }',
    );
    expect([answer.status, answer.data]).toEqual([200, { me: null, product: { title: 'Notes' } }]);
    expect(answer.errors!.length).toBeLessThanOrEqual(1_000);
  });

  test('100 000 about entities', async () => {
    const errors = Array.from(
      { length: 100_000 },
      (_, index) => `{"message":"No.","path":["_entities",${index % 3},"name"]}`,
    ).join();
    const answer = await ask(
      text(`{"data":{"_entities":[null,null,null]},"errors":[${errors}]}`),
      '{ latest(first: 3) { id author { partner { name } } } }',
    );
    expect(answer.status).toBe(200);
    expect(answer.errors!.length).toBeLessThanOrEqual(1_000);
  });
});

test.each([
  ['tags', `"tags":[${Array(300_000).fill(1).join()}]`, '{ me { tags } }'],
  [
    'objects',
    `"partner":null},"users":[${Array(300_000).fill('{"email":5}').join()}],"x":{"y":1`,
    '{ me { partner { id } } users { email } }',
  ],
])('300 000 wrong %s are not 300 000 errors', async (_, fields, query) => {
  const answer = await ask(me(`{${fields}}`), query);
  expect(answer.status).toBe(200);
  expect(answer.errors!.length).toBeLessThanOrEqual(1_000);
  expect(answer.errors![0]!.extensions.code).toBe(BAD);
});

describe('size and time', () => {
  test('a text of 10 MB is passed on', async () => {
    const name = 'x'.repeat(10_000_000);
    const answer = await ask(me(`{"name":"${name}"}`), '{ me { name } }');
    expect([answer.status, (answer.data!['me'] as { name: string }).name === name]).toEqual([200, true]);
  });

  test('10 MB in place of an object are an error without them', async () => {
    const answer = await ask(me(`"${'x'.repeat(10_000_000)}"`), '{ me { name } }');
    expect([answer.data, codesOf(answer)]).toEqual([{ me: null }, [['me', BAD]]]);
    expect(JSON.stringify(answer).length).toBeLessThan(1_000);
  });

  test.each([5_000, 200_000])('JSON nested %s deep', async (levels) => {
    const deep = '['.repeat(levels) + ']'.repeat(levels);
    const answer = await ask(
      me(`{"name":${deep},"partner":${deep}}`),
      '{ me { name partner { name } } product(upc: "b1") { title } }',
    );
    expect([answer.status, answer.data]).toEqual([200, { me: null, product: { title: 'Notes' } }]);
  });

  test('a million entities where three were asked for', async () => {
    const answer = await ask(
      text(`{"data":{"_entities":[${Array(1_000_000).fill('{"name":"A"}').join()}]}}`),
      '{ latest(first: 3) { id author { partner { name } } } }',
    );
    expect(codesOf(answer)).toEqual([0, 1, 2].map((index) => [`latest.${index}.author.partner`, BAD]));
  });

  test('a gzip bomb', async () => {
    const bomb = gzipSync(`{"data":{"me":{"name":"${'x'.repeat(63_000_000)}"}}}`);
    const answer = await ask(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      '{ me { name } product(upc: "b1") { title } }',
      { remoteSubgraph: () => ({ settings: { compression: true } }) },
    );
    expect([answer.data, codesOf(answer)]).toEqual([{ me: null, product: { title: 'Notes' } }, [['me', BAD]]]);
  });

  const hurried = { remoteSubgraph: () => ({ settings: { deadlineMs: { query: 300, mutation: 300 } } }) };
  test.each<[string, Answering]>([
    ['never answers', () => {}],
    ['answers with a head alone', (_request, response) => void response.writeHead(200).flushHeaders()],
    [
      'drips',
      (request, response) => {
        response.write('{"data":');
        const drip = setInterval(() => response.write(' '), 5);
        request.socket.once('close', () => clearInterval(drip));
      },
    ],
  ])('a subgraph that %s', async (_, answering) => {
    const answer = await ask(answering, '{ me { name } product(upc: "b1") { title } }', hurried);
    expect([answer.data, codesOf(answer)]).toEqual([
      { me: null, product: { title: 'Notes' } },
      [['me', 'SUBGRAPH_TIMEOUT']],
    ]);
  });

  test('100 clients that wait for a subgraph that never answers', async () => {
    await using raw = await aRawSubgraph(() => {});
    await using gateway = await withAccounts(raw.url, { ...hurried, development: false });
    const answers = await besideHonest(gateway.url, figures, () =>
      Promise.all(Array.from({ length: 100 }, () => post(gateway.url, '{ me { name } product(upc: "b1") { title } }'))),
    );
    for (const { data, errors } of answers) {
      expect(data).toEqual({ me: null, product: { title: 'Notes' } });
      expect(errors).toHaveLength(1);
    }
  });
});

test('over WebSocket, too, a bad answer is an error in the result and the socket goes on', async () => {
  await using raw = await aRawSubgraph(me('[1]'));
  await using gateway = await withAccounts(raw.url, { development: false });
  const socket = await aRawSocket(gateway.url.replace('http', 'ws'), { init: {} });
  for (const [id, query] of Object.entries({ 1: '{ me { name } }', 2: '{ product(upc: "b1") { title } }' })) {
    socket.send({ type: 'subscribe', id, payload: { query } });
    await socket.receive('complete', id);
  }
  expect(resultsOf(socket, '1')[0]).toEqual({
    data: { me: null },
    errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: BAD }) as unknown })],
  });
  expect(resultsOf(socket, '2')).toEqual([{ data: { product: { title: 'Notes' } } }]);
  socket.socket.close();
});
