import { GraphQLError } from 'graphql';
import { waitFor } from '../../platform/testing/wait';
import type { Frame, Outlet } from '../operations/outlet';
import { servedSockets, type ServedSockets, type Started } from '../testing/socket-server';
import { aRawSocket, type RawSocket } from '../testing/socket-client';

const SUBSCRIBE = { type: 'subscribe', payload: { query: 'subscription { s }' } };
const frame = (n: number | string, cursor?: string) => ({ payload: `{"data":{"s":${JSON.stringify(n)}}}`, cursor });

async function subscribed(server: ServedSockets, id = 's'): Promise<RawSocket & { started: Started }> {
  const socket = await aRawSocket(server.url, { init: null });
  const before = server.started.length;
  socket.send({ ...SUBSCRIBE, id });
  await waitFor('the operation', () => server.started.length > before);
  return Object.assign(socket, { started: server.started.at(-1)! });
}

/** Sends until the system takes no more and the rest waits in the process. */
async function fill(outlet: Outlet, next: () => Frame): Promise<void> {
  await waitFor('a client without room', () => {
    const wasFull = !outlet.hasRoom;
    while (outlet.hasRoom) outlet.next(next());
    return wasFull;
  });
}

test('frames become next messages in order, and completing ends the id, which is free again', async () => {
  await using server = await servedSockets();
  const socket = await subscribed(server, 'odd "id" \u2028');
  const { outlet, left } = socket.started;
  outlet.next(frame(1));
  outlet.next(frame('zwei ✓'));
  outlet.complete();
  outlet.next(frame(3));
  outlet.complete();
  await socket.receive('complete');
  socket.send({ ...SUBSCRIBE, id: 'odd "id" \u2028' });
  await waitFor('the second', () => server.started.length === 2);
  expect(socket.messages.slice(1)).toEqual([
    { id: 'odd "id" \u2028', type: 'next', payload: { data: { s: 1 } } },
    { id: 'odd "id" \u2028', type: 'next', payload: { data: { s: 'zwei ✓' } } },
    { id: 'odd "id" \u2028', type: 'complete' },
  ]);
  expect(left).toEqual([]);
  socket.socket.close();
});

test('a client that does not read leaves no room until it reads again, and gets everything', async () => {
  await using server = await servedSockets();
  const socket = await subscribed(server);
  const { outlet } = socket.started;
  socket.socket.pause();
  const text = 'x'.repeat(50_000);
  let sent = 0;
  await fill(outlet, () => frame(`${++sent} ${text}`));
  outlet.next(frame(`${++sent} ${text}`));
  let calls = 0;
  outlet.onRoom(() => calls++);
  expect(outlet.hasRoom).toBe(false);
  const { progress } = outlet;
  outlet.next(frame(`${++sent} ${text}`));
  expect(outlet.progress).toBe(progress);
  socket.socket.resume();
  await waitFor('room', () => calls === 1);
  expect(outlet.progress).toBeGreaterThan(progress);
  expect(outlet.hasRoom).toBe(true);
  outlet.complete();
  await socket.receive('complete', 's');
  const numbers = socket.messages
    .filter(({ type }) => type === 'next')
    .map(({ payload }) => parseInt((payload as { data: { s: string } }).data.s, 10));
  expect(numbers).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
  expect(calls).toBe(1);
  socket.socket.close();
});

describe('a client that is too slow', () => {
  test.each([
    ['hears with which cursor it goes on', 'c42', 'Too slow; resume after c42'],
    ['hears that there is none', undefined, 'Too slow'],
    ['hears only that when the cursor is too long for a close frame', 'c'.repeat(101), 'Too slow'],
  ])('is closed with 4413 and %s', async (_, cursor, reason) => {
    await using server = await servedSockets();
    const socket = await subscribed(server);
    socket.send({ ...SUBSCRIBE, id: 't' });
    await waitFor('the other', () => server.started.length === 2);
    socket.started.outlet.disconnect('CONSUMER_TOO_SLOW', cursor);
    socket.started.outlet.next(frame(1));
    expect(await socket.closed).toEqual({ code: 4413, reason });
    expect(server.started.map(({ left }) => left)).toEqual([['lost'], ['lost']]);
    expect(socket.messages.some(({ type }) => type === 'next')).toBe(false);
  });

  test('and does not even take the close frame is cut', async () => {
    await using server = await servedSockets();
    const socket = await subscribed(server);
    const { outlet } = socket.started;
    socket.socket.pause();
    await fill(outlet, () => frame('x'.repeat(50_000)));
    jest.useFakeTimers({ doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
    try {
      outlet.disconnect('CONSUMER_TOO_SLOW', 'c1');
      jest.advanceTimersByTime(5_000);
    } finally {
      jest.useRealTimers();
    }
    expect(outlet.hasRoom).toBe(true);
    expect(server.connections.size).toBe(0);
    socket.socket.resume();
    expect((await socket.closed).code).toBe(1006);
  });
});

test('what is sent in one go may fill the mark, and is out a moment later when the client reads', async () => {
  await using server = await servedSockets();
  const socket = await subscribed(server);
  const { outlet } = socket.started;
  const order: string[] = [];
  while (outlet.hasRoom) outlet.next(frame('x'.repeat(50_000)));
  outlet.onRoom(() => {
    order.push('first');
    while (outlet.hasRoom) outlet.next(frame('y'.repeat(50_000)));
  });
  outlet.onRoom(() => order.push(`second, ${outlet.hasRoom ? 'with' : 'without'} room`));
  await waitFor('both', () => order.length === 2);
  expect(order).toEqual(['first', 'second, with room']);
  socket.socket.close();
});

describe('leaving', () => {
  test.each<[string, (socket: RawSocket) => void, string]>([
    ['complete', (socket) => socket.send({ type: 'complete', id: 's' }), 'done'],
    ['closing with 1000', ({ socket }) => socket.close(1000), 'done'],
    ['closing with 1001', ({ socket }) => socket.close(1001), 'lost'],
    ['closing without a code', ({ socket }) => socket.close(), 'lost'],
    ['vanishing', ({ socket }) => socket.terminate(), 'lost'],
    ['breaking the protocol', (socket) => socket.send('{'), 'lost'],
  ])('by %s', async (_, leave, how) => {
    await using server = await servedSockets();
    const socket = await subscribed(server);
    leave(socket);
    await waitFor('it', () => socket.started.left.length > 0);
    socket.started.outlet.next(frame(1));
    socket.started.outlet.complete();
    socket.socket.close();
    await socket.closed;
    expect(socket.started.left).toEqual([how]);
    expect(socket.messages.map(({ type }) => type)).toEqual(['connection_ack']);
  });

  test('while the operation is planned cancels it as soon as it is', async () => {
    let plan = (): void => {};
    await using server = await servedSockets({ planned: new Promise((resolve) => (plan = resolve)) });
    const socket = await subscribed(server);
    socket.send({ type: 'complete', id: 's' });
    // The id is free at once, and the new operation is another one.
    socket.send({ ...SUBSCRIBE, id: 's' });
    await waitFor('the second', () => server.started.length === 2);
    expect(server.started[0]!.left).toEqual([]);
    plan();
    await waitFor('the cancellation', () => server.started[0]!.left.length === 1);
    expect(server.started.map(({ left }) => left)).toEqual([['done'], []]);
    server.started[0]!.outlet.complete();
    server.started[1]!.outlet.next(frame(2));
    await socket.receive('next', 's');
    socket.socket.close();
  });
});

test('an operation that is refused after the client left says nothing; the next one with its id does', async () => {
  let refuse = (_: GraphQLError[]): void => {};
  await using server = await servedSockets({ planned: new Promise((resolve) => (refuse = resolve)) });
  const socket = await subscribed(server);
  socket.send({ type: 'complete', id: 's' });
  socket.send({ ...SUBSCRIBE, id: 's' });
  await waitFor('the second', () => server.started.length === 2);
  refuse([new GraphQLError('No.', { extensions: { code: 'FORBIDDEN' } })]);
  await socket.receive('error', 's');
  socket.send({ type: 'ping' });
  await socket.receive('pong');
  expect(socket.messages.map(({ type }) => type)).toEqual(['connection_ack', 'error', 'pong']);
  socket.socket.close();
});

test('stopping tells where each operation goes on, then closes with 1001', async () => {
  await using server = await servedSockets();
  const socket = await subscribed(server, '__proto__');
  socket.send({ ...SUBSCRIBE, id: 'b' });
  socket.send({ ...SUBSCRIBE, id: 'none' });
  await waitFor('the others', () => server.started.length === 3);
  server.started[0]!.outlet.next(frame(1, 'c1'));
  server.started[0]!.outlet.next(frame(2, 'c2'));
  server.started[1]!.outlet.next(frame(1, 'x1'));
  const silent = await aRawSocket(server.url);
  await server.stop(5_000);
  expect(await socket.closed).toEqual({ code: 1001, reason: 'Going away' });
  expect((await silent.closed).code).toBe(1001);
  expect(silent.messages).toEqual([]);
  const { payload } = socket.messages.at(-1) as { payload: { code: string; cursors: object } };
  expect(payload.code).toBe('GOING_AWAY');
  expect(Object.entries(payload.cursors)).toEqual([
    ['__proto__', 'c2'],
    ['b', 'x1'],
  ]);
  expect(server.started.map(({ left }) => left)).toEqual([['lost'], ['lost'], ['lost']]);
});

test('a socket more than the process may have is refused with 503, also when those there have not said a word', async () => {
  await using server = await servedSockets({ limits: { maxConnections: 2 } });
  const sockets = [await aRawSocket(server.url), await aRawSocket(server.url, { init: null })];
  await expect(aRawSocket(server.url)).rejects.toThrow('503');
  sockets[0]!.socket.close();
  await sockets[0]!.closed;
  const next = await waitFor('a free place', () => aRawSocket(server.url));
  await expect(aRawSocket(server.url)).rejects.toThrow('503');
  next.socket.close();
});

test('what the client sent when it opened the socket goes with each operation', async () => {
  await using server = await servedSockets();
  const socket = await aRawSocket(server.url, { init: { tenant: 'a' }, headers: { 'x-tenant': 'b', cookie: 'c=1' } });
  socket.send({ ...SUBSCRIBE, id: 's' });
  await waitFor('the operation', () => server.started.length === 1);
  const { asker } = server.started[0]!;
  expect(asker.connectionParams).toEqual({ tenant: 'a' });
  expect(asker.headers).toMatchObject({ 'x-tenant': 'b', cookie: 'c=1' });
  expect(Object.keys(asker.headers!).filter((name) => name.startsWith('sec-'))).toEqual([]);
  socket.socket.close();
});
