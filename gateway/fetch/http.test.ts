import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { freePort } from '../../platform/testing/free-port';
import { waitFor } from '../../platform/testing/wait';
import { always, aRawSubgraph } from '../testing/raw-subgraph';
import { aCall, aTransport } from '../testing/transport';

const ONE = { data: { n: 1 } };
const TIMEOUT = { code: 'SUBGRAPH_TIMEOUT' };
const UNAVAILABLE = { code: 'SUBGRAPH_UNAVAILABLE' };
const BAD_RESPONSE = { code: 'SUBGRAPH_BAD_RESPONSE' };

/** What a call was rejected with. */
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => ({ answered: value }),
    (error: unknown) => error,
  );

describe('the deadline', () => {
  test('cuts a subgraph that never answers, and closes its connection', async () => {
    let closed = false;
    await using raw = await aRawSubgraph((request) => void request.socket.once('close', () => (closed = true)));
    await using transport = aTransport(raw.url, { deadlineMs: { query: 100, mutation: 10_000 } });
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(TIMEOUT);
    await waitFor('the connection to close', () => closed);
  });

  test('cuts a subgraph that drips', async () => {
    let dripped = 0;
    let closed = false;
    await using raw = await aRawSubgraph((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' ', () => dripped++), 5);
      request.socket.once('close', () => {
        clearInterval(drip);
        closed = true;
      });
    });
    await using transport = aTransport(raw.url, { deadlineMs: { query: 200, mutation: 10_000 } });
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(TIMEOUT);
    expect(dripped).toBeGreaterThan(0);
    await waitFor('the connection to close', () => closed);
  });

  test('is another one for mutations', async () => {
    await using raw = await aRawSubgraph(() => {});
    await using transport = aTransport(raw.url, { deadlineMs: { query: 60_000, mutation: 50 } });
    expect(await failureOf(transport.execute(aCall({ kind: 'mutation' })))).toMatchObject(TIMEOUT);
  });

  test('counts while a call waits for a connection, and such a call is never sent', async () => {
    const held: ServerResponse[] = [];
    await using raw = await aRawSubgraph((_request, response) => void held.push(response));
    await using transport = aTransport(raw.url, { connections: 1, deadlineMs: { query: 100, mutation: 60_000 } });
    const first = transport.execute(aCall({ kind: 'mutation' }));
    await waitFor('the first call', () => held.length === 1);
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(TIMEOUT);
    held[0]?.end(JSON.stringify(ONE));
    await first;
    const last = transport.execute(aCall());
    await waitFor('the last call', () => held.length === 2);
    held[1]?.end(JSON.stringify(ONE));
    expect(await last).toEqual(ONE);
    expect(raw.requests).toHaveLength(2);
  });
});

test('a caller that leaves closes the connection at once', async () => {
  let socket: Socket | undefined;
  await using raw = await aRawSubgraph((request) => void (socket = request.socket));
  await using transport = aTransport(raw.url);
  const leaving = new AbortController();
  const call = failureOf(transport.execute(aCall({ signal: leaving.signal })));
  await waitFor('the call', () => socket);
  leaving.abort(new Error('left'));
  expect(await call).toMatchObject({ message: 'left' });
  await waitFor('the connection to close', () => socket?.destroyed);
});

test('a caller that has left already sends nothing', async () => {
  await using raw = await aRawSubgraph(always(ONE));
  await using transport = aTransport(raw.url);
  expect(await failureOf(transport.execute(aCall({ signal: AbortSignal.abort() })))).toMatchObject({
    name: 'AbortError',
  });
  expect(await transport.execute(aCall())).toEqual(ONE);
  expect(raw.requests).toHaveLength(1);
});

test('no more connections are open at once than allowed, and all calls are answered', async () => {
  const sockets = new Set<Socket>();
  const held: ServerResponse[] = [];
  await using raw = await aRawSubgraph((request, response) => {
    sockets.add(request.socket);
    held.push(response);
  });
  await using transport = aTransport(raw.url, { connections: 3 });
  const calls = Array.from({ length: 12 }, () => transport.execute(aCall()));
  for (let answered = 0; answered < 12; answered += 3) {
    await waitFor('three calls', () => held.length === 3);
    for (const response of held.splice(0)) response.end(JSON.stringify(ONE));
  }
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 12 }, () => ONE));
  expect(sockets.size).toBe(3);
});

describe('compression', () => {
  /** Answers with these bytes under this encoding. */
  const encoded =
    (encoding: string, bytes: Buffer) =>
    (_request: IncomingMessage, response: ServerResponse): void =>
      void response.writeHead(200, { 'content-encoding': encoding }).end(bytes);
  const text = JSON.stringify(ONE);

  test('is asked for only where the settings say so', async () => {
    await using raw = await aRawSubgraph(always(ONE));
    await using plain = aTransport(raw.url);
    await using compressed = aTransport(raw.url, { compression: true });
    await plain.execute(aCall());
    await compressed.execute(aCall());
    expect(raw.requests.map(({ headers }) => headers['accept-encoding'])).toEqual([
      undefined,
      expect.stringContaining('gzip'),
    ]);
  });

  test.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['identity', Buffer.from(text)],
  ])('%s is decoded, asked for or not', async (encoding, bytes) => {
    await using raw = await aRawSubgraph(encoded(encoding, bytes));
    await using transport = aTransport(raw.url);
    expect(await transport.execute(aCall())).toEqual(ONE);
  });

  test.each([
    ['cut off', 'gzip', gzipSync(text).subarray(0, 20)],
    ['not what it says', 'gzip', Buffer.from(text)],
    ['encoded twice', 'gzip, gzip', gzipSync(gzipSync(text))],
    ['encoded in an unknown way', 'constructor', Buffer.from(text)],
  ])('a body that is %s is a bad response', async (_, encoding, bytes) => {
    await using raw = await aRawSubgraph(encoded(encoding, bytes));
    await using transport = aTransport(raw.url);
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(BAD_RESPONSE);
  });

  test('61 KB that unpack to 63 MB are cut at the largest answer', async () => {
    const bomb = gzipSync(JSON.stringify({ data: { n: 'x'.repeat(63_000_000) } }));
    expect(bomb.length).toBeLessThan(62_000);
    await using raw = await aRawSubgraph(encoded('gzip', bomb));
    await using transport = aTransport(raw.url, {
      maxAnswerBytes: 1_000_000,
      deadlineMs: { query: 60_000, mutation: 60_000 },
    });
    expect(await failureOf(transport.execute(aCall()))).toMatchObject({
      ...BAD_RESPONSE,
      message: expect.stringContaining('1000000 bytes'),
    });
  });
});

test.each<[string, Record<string, string>, number]>([
  ['announced', { 'content-length': '1001' }, 1],
  ['not announced', {}, 1_001],
])('an answer over the limit that is %s closes the connection', async (_, headers, sentBytes) => {
  let socket: Socket | undefined;
  await using raw = await aRawSubgraph((request, response) => {
    socket = request.socket;
    response.writeHead(200, headers).write('x'.repeat(sentBytes));
  });
  await using transport = aTransport(raw.url, { maxAnswerBytes: 1_000 });
  expect(await failureOf(transport.execute(aCall()))).toMatchObject(BAD_RESPONSE);
  await waitFor('the connection to close', () => socket?.destroyed);
});

describe('a query is sent again', () => {
  /** A subgraph that resets the connection of the first requests, before any answer. */
  const resetting = (times: number) => {
    let left = times;
    return aRawSubgraph((request, response) =>
      left-- > 0 ? void request.socket.resetAndDestroy() : always(ONE)(request, response),
    );
  };
  /** Counts connections that could not be made. */
  const refusals = async (act: () => Promise<unknown>): Promise<number> => {
    let count = 0;
    const onRefusal = (): void => void count++;
    subscribe('undici:client:connectError', onRefusal);
    try {
      await act();
    } finally {
      unsubscribe('undici:client:connectError', onRefusal);
    }
    return count;
  };

  test('once when the connection was reset', async () => {
    await using raw = await resetting(1);
    await using transport = aTransport(raw.url);
    expect(await transport.execute(aCall())).toEqual(ONE);
    expect(raw.requests).toHaveLength(2);
  });

  test('and not twice, unless the settings say so', async () => {
    await using raw = await resetting(2);
    await using transport = aTransport(raw.url);
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(UNAVAILABLE);
    await using patient = await resetting(3);
    await using other = aTransport(patient.url, { retries: 3 });
    expect(await other.execute(aCall())).toEqual(ONE);
  });

  test('when the connection was refused', async () => {
    const url = `http://127.0.0.1:${await freePort()}/graphql`;
    await using transport = aTransport(url, { retries: 2 });
    const tried = (kind: 'query' | 'mutation') =>
      refusals(async () => expect(await failureOf(transport.execute(aCall({ kind })))).toMatchObject(UNAVAILABLE));
    expect(await tried('query')).toBe(3);
    expect(await tried('mutation')).toBe(1);
  });

  test('and a mutation is not', async () => {
    await using raw = await resetting(1);
    await using transport = aTransport(raw.url);
    expect(await failureOf(transport.execute(aCall({ kind: 'mutation' })))).toMatchObject(UNAVAILABLE);
    expect(raw.requests).toHaveLength(1);
  });

  test('but not after an answer has begun, nor after one that is none', async () => {
    await using raw = await aRawSubgraph((_request, response) =>
      response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
    );
    await using failing = await aRawSubgraph(always({}, 503));
    for (const { url, requests } of [raw, failing]) {
      await using transport = aTransport(url, { retries: 3 });
      expect(await failureOf(transport.execute(aCall()))).toMatchObject(UNAVAILABLE);
      expect(requests).toHaveLength(1);
    }
  });

  test('only within the deadline', async () => {
    await using raw = await resetting(Infinity);
    await using transport = aTransport(raw.url, { retries: Infinity, deadlineMs: { query: 300, mutation: 300 } });
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(TIMEOUT);
  });
});

describe('the circuit breaker', () => {
  const breaker = { windowMs: 10_000, minRequests: 4, failureRatio: 0.5, openMs: 5_000 };

  test.each<[string, string, Parameters<typeof aRawSubgraph>[0]]>([
    ['status 500', 'opens', always({}, 500)],
    ['HTML', 'opens', (_request, response) => response.end('<html>')],
    ['a cut connection', 'opens', (request) => request.socket.destroy()],
    ['silence', 'opens', () => {}],
    ['a GraphQL error', 'stays closed', always({ errors: [{ message: 'no' }] })],
    ['a refusal with status 429', 'stays closed', always({ errors: [{ message: 'no' }] }, 429)],
    ['more than the largest answer', 'stays closed', always({ data: 'x'.repeat(2_000) })],
  ])('on %s it %s', async (what, verdict, answer) => {
    await using raw = await aRawSubgraph(answer);
    await using transport = aTransport(raw.url, {
      breaker,
      retries: 0,
      maxAnswerBytes: 1_000,
      // Only silence is to end by it: for the others it would be a failure of a busy machine.
      deadlineMs: { query: what === 'silence' ? 500 : 60_000, mutation: 60_000 },
    });
    for (let call = 0; call < 6; call++) await failureOf(transport.execute(aCall()));
    expect(raw.requests).toHaveLength(verdict === 'opens' ? 4 : 6);
  });

  test('open, it answers at once; then one call tries, and an answer lets all pass again', async () => {
    let now = 0;
    let isDown = true;
    const held: ServerResponse[] = [];
    await using raw = await aRawSubgraph((request, response) => {
      if (isDown) always({}, 500)(request, response);
      else held.push(response);
    });
    await using transport = aTransport(raw.url, { breaker }, { now: () => now });
    for (let call = 0; call < 4; call++) await failureOf(transport.execute(aCall()));
    expect(await failureOf(transport.execute(aCall({ kind: 'mutation' })))).toMatchObject(UNAVAILABLE);
    expect(raw.requests).toHaveLength(4);

    isDown = false;
    now += 5_000;
    const probe = transport.execute(aCall());
    await waitFor('the probe', () => held.length === 1);
    expect(await failureOf(transport.execute(aCall()))).toMatchObject(UNAVAILABLE);
    held[0]?.end(JSON.stringify(ONE));
    expect(await probe).toEqual(ONE);
    const calls = [transport.execute(aCall()), transport.execute(aCall())];
    await waitFor('both calls', () => held.length === 3);
    for (const response of held.slice(1)) response.end(JSON.stringify(ONE));
    expect(await Promise.all(calls)).toEqual([ONE, ONE]);
  });

  test('can be switched off', async () => {
    await using raw = await aRawSubgraph(always({}, 500));
    await using transport = aTransport(raw.url, { breaker: null });
    for (let call = 0; call < 30; call++) await failureOf(transport.execute(aCall()));
    expect(raw.requests).toHaveLength(30);
  });

  test('does not keep the readiness probe from looking', async () => {
    let isDown = true;
    await using raw = await aRawSubgraph((request, response) => always(ONE, isDown ? 500 : 200)(request, response));
    await using transport = aTransport(raw.url, { breaker });
    for (let call = 0; call < 5; call++) await failureOf(transport.execute(aCall()));
    const { signal } = new AbortController();
    expect(await failureOf(transport.ready(signal))).toMatchObject(UNAVAILABLE);
    isDown = false;
    await transport.ready(signal);
  });
});
