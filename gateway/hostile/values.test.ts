import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { aGatewayOver } from '../testing/compose';
import { aRunningShop, post, type Answer, type RunningShop } from '../testing/gateways';
import { besideHonest, noFigures, report } from '../testing/honest';
import { aRawSocket, resultsOf } from '../testing/socket-client';

let running: RunningShop;
const figures = noFigures();
beforeAll(async () => {
  running = await aRunningShop('in process', { development: false });
});
afterAll(async () => {
  report('hostile values', figures);
  await running[Symbol.asyncDispose]();
});

/** Sends a body that `JSON.stringify` would not write. */
async function sendText(url: string, body: string): Promise<Answer & { status: number }> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return { status: response.status, ...((await response.json()) as Answer) };
}

const withVariables = (query: string, variables: string): string =>
  `{"query":${JSON.stringify(query)},"variables":${variables}}`;
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('variables', () => {
  const TEXT = 'query ($value: String) { echo(value: $value) }';
  const LIST = 'query ($list: [Int!]) { echo(list: $list) }';
  const FIRST = 'query ($first: Int!) { products(first: $first) { upc } }';
  const FILTER = 'query ($filter: Filter) { echo(filter: $filter) }';

  test.each<[string, string, string]>([
    ['a text of 90 KB for a number', FIRST, `{"first":"${'x'.repeat(90_000)}"}`],
    ['a list of 10 000 wrong members', LIST, `{"list":[${Array(10_000).fill('"x"').join()}]}`],
    ['a list of wrong objects', LIST, `{"list":[${Array(5_000).fill('{"a":[]}').join()}]}`],
    ['1e400', FIRST, '{"first":1e400}'],
    ['2^53 + 1', FIRST, '{"first":9007199254740993}'],
    ['2^31', FIRST, '{"first":2147483648}'],
    ['0.5', FIRST, '{"first":0.5}'],
    ['lists nested 3 000 deep', LIST, `{"list":${nested(3_000)}}`],
    ['lists nested 45 000 deep', LIST, `{"list":${nested(45_000)}}`],
    ['objects nested 3 000 deep', FILTER, `{"filter":${'{"text":'.repeat(3_000)}1${'}'.repeat(3_000)}}`],
    [
      'objects nested 9 000 deep in a field nobody knows',
      FILTER,
      `{"filter":${'{"x":'.repeat(9_000)}1${'}'.repeat(9_000)}}`,
    ],
    ['__proto__ as a field of an input', FILTER, '{"filter":{"__proto__":{"text":"x"}}}'],
    ['constructor as a field of an input', FILTER, '{"filter":{"constructor":1,"toString":2,"hasOwnProperty":3}}'],
  ])('%s: BAD_USER_INPUT, at most 51 errors, and no echo', async (_, query, variables) => {
    running.shop.calls.length = 0;
    const answer = await besideHonest(running.url, figures, () =>
      sendText(running.url, withVariables(query, variables)),
    );
    expect(answer.status).toBe(400);
    expect(new Set(answer.errors!.map(({ extensions }) => extensions.code))).toEqual(new Set(['BAD_USER_INPUT']));
    expect(answer.errors!.length).toBeLessThanOrEqual(51);
    for (const { message } of answer.errors!) {
      expect(message.length).toBeLessThan(500);
      expect(message).not.toMatch(/call stack/);
    }
    expect(running.shop.calls.filter(({ query: sent }) => !sent.includes('Honest'))).toEqual([]);
  });

  test.each<[string, string, string, string]>([
    ['a text of 90 KB', TEXT, `{"value":"${'x'.repeat(90_000)}"}`, JSON.stringify({ value: 'x'.repeat(90_000) })],
    [
      'a text with every kind of character',
      TEXT,
      '{"value":"\\u0000\\u202e\\u2028\\ud800\\"<"}',
      JSON.stringify({ value: '\u0000\u202e\u2028\ud800"<' }),
    ],
    ['-0', LIST, '{"list":[-0]}', '{"list":[0]}'],
    ['one name twice: the last one counts', TEXT, '{"value":"a","value":"b"}', '{"value":"b"}'],
    [
      'more variables than there are',
      TEXT,
      `{"value":"a",${Array.from({ length: 5_000 }, (_, i) => `"v${i}":1`).join()}}`,
      '{"value":"a"}',
    ],
    ['__proto__ beside', TEXT, '{"value":"a","__proto__":{"value":"b","polluted":1}}', '{"value":"a"}'],
    ['__proto__ in place of', TEXT, '{"__proto__":{"value":"b","polluted":1}}', '{}'],
  ])('%s', async (_, query, variables, echo) => {
    const answer = await besideHonest(running.url, figures, () =>
      sendText(running.url, withVariables(query, variables)),
    );
    expect(answer).toEqual({ status: 200, data: { echo } });
  });
});

describe('names that every object inherits', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];

  test.each(NAMES)('%s as an alias at every level', async (name) => {
    const query = `{ ${name}: product(upc: "b1") { ${name}: title ... on Book { author { ${name}: partner { ${name}: name karma } } } } }`;
    const answer = await besideHonest(running.url, figures, () => post(running.url, query));
    const own = (value: unknown): unknown => JSON.parse(JSON.stringify({ NAME: value }).replace('NAME', name));
    expect(answer.errors).toBeUndefined();
    const product = Object.getOwnPropertyDescriptor(answer.data, name)?.value as Record<string, unknown>;
    expect(Object.getOwnPropertyDescriptor(product, name)?.value).toBe('Notes');
    const author = product['author'] as object;
    expect(JSON.stringify(author)).toBe(JSON.stringify(own({ ...JSON.parse(`{"${name}":"Grace"}`), karma: 20 })));
  });

  test.each(NAMES)('%s as the name of a variable', async (name) => {
    const query = `query ($${name}: String, $other: String) { a: echo(value: $${name}) b: echo(value: $other) }`;
    const given = await besideHonest(running.url, figures, () =>
      sendText(running.url, withVariables(query, `{"${name}":"x"}`)),
    );
    expect(given).toEqual({ status: 200, data: { a: '{"value":"x"}', b: '{}' } });
    const missing = await sendText(running.url, withVariables(query, '{}'));
    expect(missing).toEqual({ status: 200, data: { a: '{}', b: '{}' } });
  });

  test.each(NAMES)('%s as a variable that holds an object of other variables’ names', async (name) => {
    const query = `query ($${name}: Filter, $max: Int, $text: String) { a: echo(filter: $${name}) b: echo(list: [1], value: $text) products(first: $max) { upc } }`;
    const answer = await sendText(running.url, withVariables(query, `{"${name}":{"text":"evil","max":1}}`));
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({ a: '{"filter":{"text":"evil","max":1}}', b: '{"list":[1]}' });
    expect(answer.data!['products']).toHaveLength(4);
  });

  test.each(NAMES)('%s as the name of an operation', async (name) => {
    const query = `query ${name} { me { id } } query Other { me { name } }`;
    const answer = await besideHonest(running.url, figures, () =>
      post(running.url, query, {}, { operationName: name }),
    );
    expect(answer).toEqual({ status: 200, data: { me: { id: 'u1' } } });
    const unknown = await post(
      running.url,
      'query A { me { id } } query B { me { name } }',
      {},
      { operationName: name },
    );
    expect([unknown.status, unknown.errors?.length]).toEqual([400, 1]);
  });

  test.each(NAMES)('%s as a field, an argument, a key, a fragment, a type and a directive', async (name) => {
    const documents = [
      `{ ${name} }`,
      `{ me { ${name} } }`,
      `{ echo(${name}: 1) }`,
      `{ echo(filter: { ${name}: 1 }) }`,
      `{ me { ...${name} } }`,
      `{ me { ... on ${name} { id } } }`,
      `query ($v: ${name}) { echo(value: $v) }`,
      `{ me { id @${name} } }`,
    ];
    const answers = await besideHonest(running.url, figures, () =>
      Promise.all(documents.map((document) => post(running.url, document))),
    );
    expect(answers.map(({ status, errors }) => [status, errors?.[0]?.extensions.code])).toEqual(
      documents.map(() => [400, 'GRAPHQL_VALIDATION_FAILED']),
    );
  });

  test('over WebSocket', async () => {
    const socket = await aRawSocket(running.webSocketUrl, { init: {} });
    const query = 'query ($__proto__: String) { __proto__: echo(value: $__proto__) }';
    socket.send(
      `{"type":"subscribe","id":"1","payload":{"query":${JSON.stringify(query)},"variables":{"__proto__":"x"}}}`,
    );
    await socket.receive('complete', '1');
    expect(JSON.stringify(resultsOf(socket, '1'))).toBe('[{"data":{"__proto__":"{\\"value\\":\\"x\\"}"}}]');
    socket.socket.close();
  });
});

describe('a scalar that takes anything', () => {
  const definitions = {
    any: {
      typeDefs:
        'scalar Any  input Box { any: Any }  type Query { size(any: Any, box: Box): Int  any(any: Any): Any  product(upc: ID!): Product }  type Product { title: String }',
      resolvers: {
        Query: {
          size: (_: unknown, args: { any: unknown; box?: { any: unknown } }) => depthOf(args.any ?? args.box?.any),
          any: (_: unknown, args: { any: unknown }) => args.any,
        },
      },
    },
  };

  test.each([100, 1_900, 3_000, 9_000, 45_000])(
    'nested %s deep is answered or refused, never an internal error',
    async (levels) => {
      await using gateway = await aGatewayOver(definitions);
      const bodies = [
        withVariables('query ($any: Any) { size(any: $any) }', `{"any":${nested(levels)}}`),
        withVariables('query ($any: Any) { size(box: { any: $any }) }', `{"any":${nested(levels)}}`),
        withVariables('query ($any: Any) { any(any: $any) }', `{"any":${nested(levels)}}`),
        `{"query":${JSON.stringify(`{ size(any: ${nested(levels)}) }`)}}`,
      ];
      for (const body of bodies) {
        const answer = await sendText(gateway.url, body);
        expect(JSON.stringify(answer)).not.toMatch(/call stack|INTERNAL/);
        expect([200, 400]).toContain(answer.status);
      }
      expect(await post(gateway.url, '{ size(any: [[1]]) }')).toEqual({ status: 200, data: { size: 2 } });
    },
  );
});

function depthOf(value: unknown): number {
  let depth = 0;
  for (let inner = value; Array.isArray(inner); inner = inner[0]) depth++;
  return depth;
}

describe('persisted queries', () => {
  const hashOf = (query: string): string => createHash('sha256').update(query).digest('hex');
  const persisted = (sha256Hash: unknown, query?: string): string =>
    JSON.stringify({ query, extensions: { persistedQuery: { version: 1, sha256Hash } } });

  test('a hash nobody registered', async () => {
    const { status, errors } = await besideHonest(running.url, figures, () =>
      sendText(running.url, persisted(hashOf('{ who }'))),
    );
    expect([status, errors?.[0]?.extensions.code]).toEqual([200, 'PERSISTED_QUERY_NOT_FOUND']);
  });

  test.each<[string, string]>([
    ['of another document', persisted(hashOf('{ who }'), '{ me { id } }')],
    ['that is no text', persisted({ a: 1 }, '{ me { id } }')],
    ['__proto__', persisted('__proto__', '{ me { id } }')],
    [
      'of an unknown version',
      JSON.stringify({ query: '{ who }', extensions: { persistedQuery: { version: 2, sha256Hash: 'x' } } }),
    ],
    ['that is an object, without a document', persisted({ toString: 1 })],
  ])('a hash %s', async (_, body) => {
    const { status, errors } = await besideHonest(running.url, figures, () => sendText(running.url, body));
    expect([200, 400]).toContain(status);
    expect(errors).toHaveLength(1);
    expect(errors![0]!.extensions.code).not.toBe('INTERNAL');
  });

  test('2 000 registrations of 90 KB do not fill memory, and an honest one is found', async () => {
    const own = '{ me { name } }';
    await sendText(running.url, persisted(hashOf(own), own));
    const before = heapMb();
    await besideHonest(running.url, figures, async () => {
      for (let batch = 0; batch < 40; batch++) {
        await Promise.all(
          Array.from({ length: 50 }, (_, index) => {
            const query = `{ __typename } #${batch}-${index} ${'x'.repeat(90_000)}`;
            return sendText(running.url, persisted(hashOf(query), query));
          }),
        );
        expect((await sendText(running.url, persisted(hashOf(own)))).data).toEqual({ me: { name: 'Ada' } });
      }
    });
    const grownMb = heapMb() - before;
    expect(grownMb).toBeLessThan(100);
  });
});

test('3 000 distinct valid operations do not fill memory, and the honest plan stays', async () => {
  const before = heapMb();
  await besideHonest(running.url, figures, async () => {
    for (let batch = 0; batch < 60; batch++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => post(running.url, `query Q${batch}_${index} { me { name karma } }`)),
      );
      for (const { data } of answers) expect(data).toEqual({ me: { name: 'Ada', karma: 10 } });
    }
  });
  expect(heapMb() - before).toBeLessThan(100);
});

test('500 documents of 1 900 tokens do not fill memory', async () => {
  const before = heapMb();
  await besideHonest(running.url, figures, async () => {
    for (let batch = 0; batch < 50; batch++) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          const query = `query L${batch}_${index} { echo(list: [${Array(1_900).fill(index).join(' ')}]) }`;
          expect((await post(running.url, query)).status).toBe(200);
        }),
      );
    }
  });
  expect(heapMb() - before).toBeLessThan(150);
});

function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
