import net from 'node:net';
import { GraphQLError } from 'graphql';
import { SautiError } from '../../../platform/errors';
import { waitFor } from '../../../platform/testing/wait';
import type { Outlet } from '../../operations/outlet';
import type { Authenticate } from '../../options';
import { eventStreamPost, openStream, type OpenStream } from '../../testing/event-stream';
import { NewsDesk } from '../../testing/news-desk';
import {
  scriptedParts,
  scriptedStreams,
  type ScriptedParts,
  type ScriptedStreams,
} from '../../testing/scripted-streams';

const SUBSCRIPTION = 'subscription { quiet { n } }';
const MULTIPART = 'multipart/mixed;subscriptionSpec=1.0';

/** Takes `Bearer <user> <session> <milliseconds>` at its word. */
const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  const [, userId, sessionId, livesMs] = /^Bearer (\w+) (\w+) (\d+)$/.exec(authorization) ?? [];
  if (!userId || !sessionId) throw new SautiError('UNAUTHENTICATED', 'The token is not valid.');
  return {
    viewer: { userId, sessionId, scopes: [] },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + Number(livesMs)),
  };
};
const ADA = { authorization: 'Bearer ada s1 600000' };

let parts: ScriptedParts;
let streams: ScriptedStreams;
beforeAll(async () => void (parts = await scriptedParts()));
afterAll(() => parts[Symbol.asyncDispose]());
afterEach(() => streams[Symbol.asyncDispose]());

const subscribe = (headers: Record<string, string> = {}, more: object = {}): Promise<OpenStream> =>
  openStream(streams.url, eventStreamPost({ query: SUBSCRIPTION, ...more }, headers));
const frame = (n: number, cursor?: string): { payload: string; cursor: string | undefined } => ({
  payload: JSON.stringify({ data: { quiet: { n } }, ...(cursor ? { extensions: { cursor } } : {}) }),
  cursor,
});

const BODY = JSON.stringify({ query: SUBSCRIPTION });
/** The bytes of a request for an event stream. */
const RAW = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: text/event-stream\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

/** A connection on which this is sent. */
function connected(bytes: string): net.Socket {
  const socket = net.connect({ port: Number(new URL(streams.url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(bytes);
  return socket;
}

describe('cursors', () => {
  beforeEach(async () => void (streams = await scriptedStreams(parts)));

  test('are the ids of events, and those without one leave the id as it is', async () => {
    const opened = await subscribe();
    const { outlet } = await streams.operation(0);
    for (const [n, cursor] of [
      [1, 'a'],
      [2, undefined],
      [3, 'ü 3'],
    ] as const)
      outlet.next(frame(n, cursor));
    outlet.complete();
    await opened.ended;
    expect(opened.stream.events.map(({ lastEventId }) => lastEventId)).toEqual(['a', 'a', 'ü 3', 'ü 3']);
    expect(opened.results[0]).toEqual({ data: { quiet: { n: 1 } }, extensions: { cursor: 'a' } });
  });

  test.each(['a\nevent: complete', 'a\rdata: x', 'a\0'])('that cannot be ids are none: %j', async (cursor) => {
    const opened = await subscribe();
    const { outlet } = await streams.operation(0);
    outlet.next(frame(1, cursor));
    outlet.next(frame(2, 'b'));
    outlet.complete();
    await opened.ended;
    expect(opened.stream.events).toMatchObject([
      { type: 'next', lastEventId: '' },
      { type: 'next', lastEventId: 'b' },
      { type: 'complete' },
    ]);
  });

  test.each<[string, Record<string, string>, object, unknown]>([
    ['Last-Event-ID', { 'last-event-id': 'c7' }, {}, 'c7'],
    ['Last-Event-ID in UTF-8', { 'last-event-id': Buffer.from('ü7').toString('latin1') }, {}, 'ü7'],
    ['Last-Event-ID of a multipart answer', { 'last-event-id': 'c7', accept: MULTIPART }, {}, 'c7'],
    ['extensions.cursor', {}, { extensions: { cursor: 'c8' } }, 'c8'],
    [
      'both: the one in the operation',
      { 'last-event-id': 'c7' },
      { extensions: { cursor: 'c8', snapshot: true } },
      'c8',
    ],
    ['an empty Last-Event-ID', { 'last-event-id': '' }, {}, undefined],
  ])('are handed on from %s', async (_, headers, more, cursor) => {
    const opened = await subscribe(headers, more);
    const { payload } = await streams.operation(0);
    expect(payload.extensions?.['cursor']).toBe(cursor);
    opened.close();
  });

  test('are handed on from the parameters of a GET', async () => {
    const search = new URLSearchParams({ query: SUBSCRIPTION, extensions: '{"cursor":"c9"}' });
    const headers = { accept: 'text/event-stream', 'apollo-require-preflight': '1' };
    const opened = await openStream(`${streams.url}?${search}`, { headers });
    expect((await streams.operation(0)).payload.extensions).toEqual({ cursor: 'c9' });
    opened.close();
  });
});

describe('a client that does not read', () => {
  beforeEach(async () => void (streams = await scriptedStreams(parts, { heartbeatMs: 200 })));

  /** A client that sends its request and then reads nothing. */
  const aSilentReader = (): net.Socket => connected(RAW).pause();
  const big = { payload: JSON.stringify({ data: 'x'.repeat(64 * 1024) }), cursor: undefined };

  /** Sends until there is no room; answers how often. */
  const fill = async (outlet: Outlet): Promise<number> => {
    let sent = 0;
    // The kernel takes some megabytes before anything waits here.
    for (; outlet.hasRoom && sent < 1_000; sent++) {
      outlet.next(big);
      await new Promise(setImmediate);
    }
    expect(sent).toBeLessThan(1_000);
    return sent;
  };

  test('has no room at the high-water mark, and room again when it has read', async () => {
    const socket = aSilentReader();
    const { outlet } = await streams.operation(0);
    const sent = await fill(outlet);
    const told: string[] = [];
    outlet.onRoom(() => told.push('room'));
    outlet.onRoom(() => told.push('room for another'));
    expect([outlet.hasRoom, told]).toEqual([false, []]);
    const { progress } = outlet;
    let read = 0;
    socket.on('data', (chunk) => (read += chunk.length));
    socket.resume();
    await waitFor('room', () => told.length === 2);
    expect(outlet.progress).toBeGreaterThan(progress);
    expect([outlet.hasRoom, told]).toEqual([true, ['room', 'room for another']]);
    await waitFor('all of it', () => read > sent * 64 * 1024);
    socket.destroy();
  });

  test('is dropped soon after it was told that it is too slow', async () => {
    const socket = aSilentReader();
    const operation = await streams.operation(0);
    await fill(operation.outlet);
    expect(streams.connections.size).toBe(1);
    operation.outlet.disconnect('CONSUMER_TOO_SLOW', 'c5');
    expect([streams.connections.size, operation.outlet.hasRoom]).toEqual([0, true]);
    await waitFor('the end of its connection', async () => (await streams.sockets()) === 0);
    expect(operation.left).toEqual(['lost']);
    socket.destroy();
  });

  test('gets no signs of life on top of what it does not read', async () => {
    const socket = aSilentReader();
    const { outlet } = await streams.operation(0);
    await fill(outlet);
    const other = await subscribe();
    await waitFor('signs of life for another', () => other.stream.comments.length > 4);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.resume();
    outlet.complete();
    await waitFor('the end', () => text.includes('event: complete'));
    expect(text.slice(text.lastIndexOf('event: next'))).not.toContain('\n:\n\n');
    other.close();
    socket.destroy();
  });
});

describe('the last words of an event stream', () => {
  beforeEach(async () => void (streams = await scriptedStreams(parts, { authenticate })));

  test('a client that is too slow gets the cursor, and no completion', async () => {
    const opened = await subscribe();
    const { outlet, left } = await streams.operation(0);
    outlet.next(frame(1, 'c1'));
    outlet.disconnect('CONSUMER_TOO_SLOW', 'c5');
    outlet.next(frame(2));
    outlet.complete();
    await opened.ended;
    expect(opened.stream.events.map(({ type, lastEventId }) => [type, lastEventId])).toEqual([
      ['next', 'c1'],
      ['next', 'c5'],
    ]);
    expect(opened.results[1]).toMatchObject({ errors: [{ extensions: { code: 'CONSUMER_TOO_SLOW', cursor: 'c5' } }] });
    expect(left).toEqual(['lost']);
  });

  test('a gateway that stops says so in a comment, and does not complete', async () => {
    const opened = await subscribe();
    const { outlet, left } = await streams.operation(0);
    outlet.next(frame(1, 'c1'));
    await streams.connections[Symbol.asyncDispose]();
    expect(await opened.ended).toBe(true);
    expect(opened.stream.events).toHaveLength(1);
    expect(opened.stream.comments).toContain('GOING_AWAY');
    expect(left).toEqual(['lost']);
  });

  test('a gateway that stops sends the answer to a query first', async () => {
    const opened = await openStream(streams.url, eventStreamPost({ query: '{ me { id } }' }));
    const { outlet, left } = await streams.operation(0);
    await streams.connections[Symbol.asyncDispose]();
    expect(left).toEqual([]);
    outlet.next({ payload: '{"data":{"me":null}}', cursor: undefined });
    outlet.complete();
    await opened.ended;
    expect(opened.stream.events.map(({ type }) => type)).toEqual(['next', 'complete']);
  });

  test('one that has stopped lets an EventSource come back elsewhere', async () => {
    await streams.connections[Symbol.asyncDispose]();
    const opened = await subscribe();
    expect([opened.status, await opened.ended]).toEqual([200, true]);
    expect([opened.stream.events, opened.stream.retryMs]).toEqual([[], expect.any(Number)]);
    expect(streams.operations).toEqual([]);
  });

  test('a token that ends: an error, then completion', async () => {
    const opened = await subscribe({ authorization: 'Bearer ada s1 1000' });
    const { outlet, left } = await streams.operation(0);
    outlet.next(frame(1, 'c1'));
    await opened.ended;
    expect(opened.stream.events.map(({ type }) => type)).toEqual(['next', 'next', 'complete']);
    expect(opened.results[1]).toEqual({
      errors: [
        {
          message: expect.stringContaining('expired') as string,
          extensions: { code: 'UNAUTHENTICATED', cursor: 'c1' },
        },
      ],
    });
    expect(left).toEqual(['lost']);
  });

  test('a client that is gone is told to the operation once', async () => {
    const opened = await subscribe(ADA);
    const { outlet, left } = await streams.operation(0);
    opened.close();
    await waitFor('the end', () => left.length > 0);
    outlet.next(frame(1));
    outlet.onRoom(() => left.push('done'));
    outlet.disconnect('CONSUMER_TOO_SLOW', undefined);
    expect([left, outlet.hasRoom, streams.connections.size]).toEqual([['lost'], true, 0]);
  });

  test.each([
    ['a session that ends', 'has ended', (desk: NewsDesk) => desk.ended('s1')],
    ['rights that change', 'has changed', (desk: NewsDesk) => desk.changed('ada')],
  ])('%s: an error, then completion', async (_, message, happens) => {
    await streams[Symbol.asyncDispose]();
    const desk = new NewsDesk();
    streams = await scriptedStreams(parts, { authenticate, accessChanges: desk.changes });
    const opened = await subscribe(ADA);
    await streams.operation(0);
    happens(desk);
    await opened.ended;
    expect(opened.results).toMatchObject([
      { errors: [{ message: expect.stringContaining(message), extensions: { code: 'UNAUTHENTICATED' } }] },
    ]);
    expect(opened.stream.events.at(-1)?.type).toBe('complete');
  });

  test('a token that becomes void while the body is on its way has nothing executed', async () => {
    await streams[Symbol.asyncDispose]();
    const desk = new NewsDesk();
    streams = await scriptedStreams(parts, { authenticate, accessChanges: desk.changes });
    const body = JSON.stringify({ query: '{ __typename }' });
    const isRefused = async (): Promise<boolean> =>
      (await fetch(`${streams.url}?query={__typename}`, { headers: { ...ADA, 'apollo-require-preflight': '1' } }))
        .status === 401;
    expect(await isRefused()).toBe(false);
    const socket = connected(
      `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: ${ADA.authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`,
    );
    let answer = '';
    socket.on('data', (piece: Buffer) => (answer += piece.toString()));
    await waitFor('the request to be taken', () => answer.includes('100 Continue'));
    desk.ended('s1');
    await waitFor('the refusal of others', isRefused);
    socket.write(body);
    await waitFor('the answer', () => answer.includes('\r\n\r\n{'));
    expect(answer).toContain('HTTP/1.1 401');
    socket.destroy();
  });

  test('of a token that is void by now none is opened, on any transport', async () => {
    await streams[Symbol.asyncDispose]();
    const desk = new NewsDesk();
    desk.begin = [{ kind: 'ended', sessionId: 's1', at: new Date().toISOString() }, ...desk.begin];
    streams = await scriptedStreams(parts, { authenticate, accessChanges: desk.changes });
    const multipart = await subscribe({ ...ADA, accept: `${MULTIPART}, application/graphql-response+json` });
    const reserved = await fetch(streams.url, { method: 'PUT', headers: ADA });
    const renewed = await fetch(`${streams.url}/renew`, {
      method: 'POST',
      headers: { ...ADA, 'content-type': 'application/json' },
      body: '{"connectionId":"x"}',
    });
    const query = await fetch(`${streams.url}?query={__typename}`, {
      headers: { ...ADA, 'apollo-require-preflight': 'true' },
    });
    expect([multipart.status, reserved.status, renewed.status, query.status]).toEqual([401, 401, 401, 401]);
  });
});

describe('limits', () => {
  test('one stream more than the process may have is refused with OVERLOADED, and no socket of it is left over', async () => {
    streams = await scriptedStreams(parts, { limits: { maxConnections: 1 } });
    const open = await subscribe();
    const refused = await subscribe();
    await refused.ended;
    expect(refused.results).toMatchObject([{ errors: [{ extensions: { code: 'OVERLOADED' } }] }]);
    const multipart = await subscribe({ accept: `${MULTIPART}, application/graphql-response+json` });
    const reserved = await fetch(streams.url, { method: 'PUT' });
    expect([multipart.status, reserved.status]).toEqual([503, 503]);
    open.close();
    await waitFor('a free place', () => streams.connections.size === 0);
    const next = await subscribe();
    await streams.operation(1);
    next.close();
  });

  test('a stream whose operation cannot be started is answered with 500 and is not among the connections', async () => {
    streams = await scriptedStreams(parts);
    streams.hold = Promise.reject(new Error('a fault of ours'));
    streams.hold.catch(() => {});
    for (const headers of [undefined, { accept: MULTIPART }]) {
      const failed = await subscribe(headers);
      expect([failed.status, streams.connections.size]).toEqual([500, 0]);
    }
    const reserved = await fetch(streams.url, { method: 'PUT' });
    const token = await reserved.text();
    const operation = { query: SUBSCRIPTION, extensions: { operationId: 'a' } };
    const started = (): Promise<Response> =>
      fetch(streams.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-graphql-event-stream-token': token },
        body: JSON.stringify(operation),
      });
    expect((await started()).status).toBe(500);
    streams.hold = undefined;
    expect((await started()).status).toBe(202);
  });

  test('one stream more than a user may have is told by an event; the others go on', async () => {
    streams = await scriptedStreams(parts, { authenticate, limits: { maxConnectionsPerUser: 2 } });
    const mine = [await subscribe(ADA), await subscribe(ADA)];
    const refused = await subscribe(ADA);
    await refused.ended;
    expect(refused.results).toMatchObject([{ errors: [{ extensions: { code: 'SUBSCRIPTION_LIMIT' } }] }]);
    const multipart = await subscribe({ ...ADA, accept: `${MULTIPART}, application/graphql-response+json` });
    expect(multipart.status).toBe(429);
    mine[0]!.close();
    await waitFor('a free place', () => streams.connections.size === 1);
    const again = await subscribe(ADA);
    await streams.operation(2);
    expect([mine[1]!.stream.events, again.stream.events]).toEqual([[], []]);
    for (const opened of [...mine, again]) opened.close();
  });

  test('what an operation is refused with is told by an event', async () => {
    streams = await scriptedStreams(parts);
    streams.refusal = [new GraphQLError('Too many.', { extensions: { code: 'SUBSCRIPTION_LIMIT' } })];
    const opened = await subscribe();
    await opened.ended;
    expect(opened.results).toEqual([
      { errors: [{ message: 'Too many.', extensions: { code: 'SUBSCRIPTION_LIMIT' } }] },
    ]);
    expect([opened.stream.events.at(-1)?.type, streams.connections.size]).toEqual(['complete', 0]);
  });

  test('a bad token is 401 before there is a stream', async () => {
    streams = await scriptedStreams(parts, { authenticate });
    const opened = await subscribe({ authorization: 'Bearer nonsense' });
    expect([opened.status, opened.headers.get('content-type')]).toEqual([401, 'application/json; charset=utf-8']);
  });
});

describe('renewal by POST /graphql/renew', () => {
  beforeEach(async () => void (streams = await scriptedStreams(parts, { authenticate })));

  const renew = async (body: unknown, headers: Record<string, string>): Promise<[number, unknown]> => {
    const response = await fetch(`${streams.url}/renew`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return [response.status, await response.json()];
  };

  test('a stream goes on with the new token, and its operation knows', async () => {
    const opened = await subscribe({ authorization: 'Bearer ada s1 600000' });
    const { outlet, renewed } = await streams.operation(0);
    const connectionId = opened.headers.get('x-connection-id');
    const before = Date.now();
    const [status, body] = await renew({ connectionId }, { authorization: 'Bearer ada s2 1000' });
    expect(status).toBe(200);
    const { renewedUntil } = body as { renewedUntil: string };
    expect(Date.parse(renewedUntil)).toBeGreaterThanOrEqual(before + 1_000);
    expect(renewed).toMatchObject([
      { authorization: 'Bearer ada s2 1000', identity: { viewer: { userId: 'ada', sessionId: 's2' } } },
    ]);
    outlet.next(frame(1));
    await opened.ended;
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(renewedUntil));
    expect(opened.results).toMatchObject([{ data: {} }, { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }]);
  });

  test.each<[number, string, Record<string, string>, (id: string | null) => unknown]>([
    [404, 'another user', { authorization: 'Bearer grace s9 600000' }, (connectionId) => ({ connectionId })],
    [404, 'an unknown id', ADA, () => ({ connectionId: '__proto__' })],
    [401, 'no token', {}, (connectionId) => ({ connectionId })],
    [401, 'a bad token', { authorization: 'Bearer bad' }, (connectionId) => ({ connectionId })],
    [400, 'no id', ADA, () => ({})],
    [400, 'a list', ADA, () => []],
    [400, 'a form', { ...ADA, 'content-type': 'text/plain' }, (connectionId) => ({ connectionId })],
    [413, 'too much', ADA, (connectionId) => ({ connectionId, more: 'x'.repeat(110_000) })],
    [
      403,
      'an origin that is not allowed',
      { ...ADA, origin: 'https://evil.example' },
      (connectionId) => ({ connectionId }),
    ],
  ])('%i for %s', async (status, _, headers, body) => {
    const opened = await subscribe(ADA);
    const { renewed } = await streams.operation(0);
    expect((await renew(body(opened.headers.get('x-connection-id')), headers))[0]).toBe(status);
    expect(renewed).toEqual([]);
    opened.close();
  });

  test('only by POST', async () => {
    const response = await fetch(`${streams.url}/renew`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('signs of life', () => {
  beforeEach(async () => void (streams = await scriptedStreams(parts, { heartbeatMs: 100 })));

  test('are comments on an event stream', async () => {
    const opened = await subscribe();
    await waitFor('some', () => opened.stream.comments.length > 3);
    expect([opened.stream.events, new Set(opened.stream.comments)]).toEqual([[], new Set([''])]);
    opened.close();
  });

  test('are empty parts of a multipart answer', async () => {
    const opened = await subscribe({ accept: MULTIPART });
    await waitFor('some', () => opened.text.split('\r\n\r\n{}\r\n--graphql').length > 3);
    opened.close();
  });
});

test('a stream behind a stream on one connection is none, and leaves nothing behind', async () => {
  streams = await scriptedStreams(parts);
  const socket = connected(`${RAW}${RAW}${RAW}`);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const first = await streams.operation(0);
  first.outlet.complete();
  await waitFor('three answers', () => text.split('HTTP/1.1 ').length === 4);
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 400']);
  expect([streams.operations.length, streams.connections.size]).toEqual([1, 0]);
  socket.destroy();
});
