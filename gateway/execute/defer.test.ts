import { aRunningShop, MODES, type RunningShop } from '../testing/gateways';
import { aRawSocket, resultsOf } from '../testing/socket-client';

const ACCEPT = 'multipart/mixed;deferSpec=20220824, application/json';

interface Payload {
  data?: unknown;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
  hasNext?: boolean;
  incremental?: { data: unknown; path: (string | number)[]; label?: string; errors?: Payload['errors'] }[];
}

/** Sends an operation and reads the parts of its answer. */
async function payloadsOf(running: RunningShop, query: string, variables: object = {}): Promise<Payload[]> {
  const response = await fetch(running.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: ACCEPT },
    body: JSON.stringify({ query, variables }),
  });
  expect(response.headers.get('content-type')).toBe('multipart/mixed; boundary="-"; deferSpec=20220824');
  const text = await response.text();
  expect(text).toMatch(/^\r\n---\r\n/);
  expect(text.endsWith('\r\n-----\r\n')).toBe(true);
  return text
    .slice(0, -'\r\n-----\r\n'.length)
    .split('\r\n---\r\n')
    .slice(1)
    .map((part) => {
      const [head, body] = part.split('\r\n\r\n');
      expect(head).toBe('content-type: application/json; charset=utf-8');
      return JSON.parse(body ?? '') as Payload;
    });
}

/** What a client has when it has put all parts into their places. */
function assembled(payloads: readonly Payload[]): unknown {
  const whole = structuredClone(payloads[0]?.data);
  for (const { data, path } of payloads.flatMap(({ incremental }) => incremental ?? [])) {
    const target = path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], whole);
    Object.assign(target as object, data);
  }
  return whole;
}

describe.each(MODES)('@defer over subgraphs %s', (mode) => {
  let running: RunningShop;
  beforeEach(async () => {
    running = await aRunningShop(mode);
  });
  afterEach(() => running[Symbol.asyncDispose]());

  test('sends what is not deferred first, and every part with its label and path', async () => {
    const payloads = await payloadsOf(running, '{ me { name ... @defer(label: "words") { reviews { text } } } }');
    expect(payloads).toEqual([
      { data: { me: { name: 'Ada' } }, hasNext: true },
      { incremental: [{ data: { reviews: [{ text: 'Deep' }] }, path: ['me'], label: 'words' }], hasNext: false },
    ]);
  });

  test('a part for each object of a list', async () => {
    const payloads = await payloadsOf(running, '{ users { id ... @defer { karma } } }');
    expect(payloads[0]).toEqual({ data: { users: [{ id: 'u1' }, { id: 'u2' }, { id: 'u3' }] }, hasNext: true });
    expect(payloads[1]?.incremental?.map(({ path }) => path)).toEqual([
      ['users', 0],
      ['users', 1],
      ['users', 2],
    ]);
    expect(payloads.at(-1)?.hasNext).toBe(false);
  });

  test('parts within parts, together the same as without @defer', async () => {
    const fields = (defer: string): string =>
      `{ me { id ... ${defer} { reviews { id ... ${defer} { about { ... on Book { title reviews { author { name } } } } } } } } }`;
    const payloads = await payloadsOf(running, fields('@defer'));
    const plain = await fetch(running.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: fields('') }),
    });
    expect(assembled(payloads)).toEqual(((await plain.json()) as Payload).data);
    expect(payloads.length).toBeGreaterThan(1);
    expect(payloads.map(({ hasNext }) => hasNext)).toEqual([...payloads.slice(1).map(() => true), false]);
  });

  test('a variable turns it off', async () => {
    const query = 'query ($d: Boolean!) { me { name ... @defer(if: $d) { karma } } }';
    expect(await payloadsOf(running, query, { d: true })).toHaveLength(2);
    const response = await fetch(running.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: ACCEPT },
      body: JSON.stringify({ query, variables: { d: false } }),
    });
    expect(await response.json()).toEqual({ data: { me: { name: 'Ada', karma: expect.any(Number) } } });
  });

  test('errors belong to the part they are in', async () => {
    const payloads = await payloadsOf(running, '{ user(id: "u2") { name ... @defer { flaky } } }');
    expect(payloads[0]).toEqual({ data: { user: { name: 'Grace' } }, hasNext: true });
    expect(payloads[1]?.incremental).toEqual([
      {
        data: { flaky: null },
        path: ['user'],
        errors: [expect.objectContaining({ path: ['user', 'flaky'] })],
      },
    ]);
  });

  test('a null that reaches the part makes its data null', async () => {
    const payloads = await payloadsOf(running, '{ user(id: "u2") { name ... @defer { mustFlake } } }');
    expect(payloads[1]?.incremental?.[0]).toEqual(expect.objectContaining({ data: null, path: ['user'] }));
  });

  test('nothing follows an answer that is null as a whole', async () => {
    const payloads = await payloadsOf(running, '{ mustBoom me { ... @defer { karma } } }');
    expect(payloads).toEqual([{ data: null, errors: [expect.anything()], hasNext: false }]);
  });

  test('no part is sent for an object that is null, or that the fragment does not fit', async () => {
    const nulled = await payloadsOf(running, '{ user(id: "u2") { mustFlake ... @defer { karma } } me { id } }');
    expect(nulled[0]).toMatchObject({ data: { user: null, me: { id: 'u1' } } });
    expect(nulled.flatMap(({ incremental = [] }) => incremental)).toEqual([]);
    expect(nulled.at(-1)?.hasNext).toBe(false);
    const books = await payloadsOf(running, '{ products { upc ... on Book @defer { reviews { id } } } }');
    const parts = books.flatMap(({ incremental = [] }) => incremental);
    expect(parts.map(({ path }) => path)).toEqual([
      ['products', 0],
      ['products', 1],
    ]);
  });

  test('over WebSocket the parts are messages', async () => {
    const socket = await aRawSocket(running.webSocketUrl, { init: {} });
    socket.send({ id: 'd', type: 'subscribe', payload: { query: '{ me { name ... @defer { karma } } }' } });
    await socket.receive('complete', 'd');
    expect(resultsOf(socket, 'd')).toEqual([
      { data: { me: { name: 'Ada' } }, hasNext: true },
      { incremental: [{ data: { karma: expect.any(Number) }, path: ['me'] }], hasNext: false },
    ]);
    socket.socket.close();
  });
});
