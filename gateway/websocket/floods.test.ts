import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger, type Logger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import { aRunningShop } from '../testing/gateways';
import { servedSockets, type ServedSockets } from '../testing/socket-server';
import { aRawSocket, resultsOf } from '../testing/socket-client';
import { aRawWebSocket, frameOf } from '../testing/raw-websocket';

let lines = 0;
const count = (): void => void lines++;
const logger: Logger = { ...silentLogger, debug: count, info: count, warn: count, error: count };
let server: ServedSockets;
beforeAll(async () => {
  server = await servedSockets({ logger });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  lines = 0;
});

const SUBSCRIBE = { type: 'subscribe', payload: { query: 'subscription { s }' } };

/** Collects garbage and answers how much of the heap is in use. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('messages that are too long', () => {
  test.each([
    ['65 KB', 65 * 1_024],
    ['1 MB', 1_000_000],
    ['60 MB', 60_000_000],
  ])('%s: 1009, and others are not harmed', async (_, sizeBytes) => {
    const other = await aRawSocket(server.url, { init: null });
    const socket = await aRawSocket(server.url, { init: null });
    socket.send({ ...SUBSCRIBE, id: 'x'.repeat(sizeBytes) });
    expect((await socket.closed).code).toBe(1009);
    other.send({ type: 'ping' });
    await other.receive('pong');
    other.socket.close();
    expect(lines).toBeLessThanOrEqual(1);
  });

  test('just below the limit is one message', async () => {
    const socket = await aRawSocket(server.url, { init: null });
    socket.send({ type: 'ping', payload: { x: 'x'.repeat(65_000) } });
    expect((await socket.receive('pong')).payload).toEqual({ x: 'x'.repeat(65_000) });
    socket.socket.close();
  });
});

describe('floods', () => {
  test('100 000 pings of which no answer is read close the socket with 1008, and memory stays', async () => {
    const socket = await aRawSocket(server.url, { init: null });
    socket.socket.pause();
    const before = process.memoryUsage().rss;
    const ping = JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(300) } });
    for (let index = 0; index < 100_000; index++) {
      socket.socket.send(ping);
      if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await waitFor('the end of the connection', () => server.connections.size === 0);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    socket.socket.resume();
    expect((await socket.closed).code).toBe(1008);
    expect(lines).toBeLessThanOrEqual(1);
  });

  test('100 000 ping frames close it, too', async () => {
    const socket = await aRawWebSocket(server.port);
    socket.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frameOf(9, 'x'.repeat(100))));
    for (let index = 0; index < 100; index++) socket.write(pings);
    socket.socket.resume();
    expect([1008, undefined]).toContain(await socket.closed);
    expect(lines).toBeLessThanOrEqual(1);
  });

  test('pongs that nobody asked for close it, too', async () => {
    const socket = await aRawSocket(server.url, { init: null });
    for (let index = 0; index < 1_000; index++) socket.send({ type: 'pong' });
    expect(await socket.closed).toEqual({ code: 1008, reason: 'Too many pings' });
  });

  test('a client that pings as often as clients do is not disturbed', async () => {
    const socket = await aRawSocket(server.url, { init: null });
    for (let index = 0; index < 100; index++) socket.send({ type: 'ping', payload: { index } });
    await waitFor('the answers', () => socket.messages.length === 101);
    socket.socket.close();
  });

  test('subscribing without end is refused from the 51st operation on, and the others go on', async () => {
    const first = server.started.length;
    const socket = await aRawSocket(server.url, { init: null });
    for (let index = 0; index < 20_000; index++) socket.send({ ...SUBSCRIBE, id: `s${index}` });
    await socket.receive('error', 's19999');
    const started = server.started.slice(first);
    expect(started).toHaveLength(50);
    expect(started.every(({ left }) => left.length === 0)).toBe(true);
    started[49]!.outlet.next({ payload: '{"data":{"s":1}}', cursor: undefined });
    await socket.receive('next', 's49');
    socket.socket.close();
    await waitFor('their end', () => started.every(({ left }) => left.length === 1));
  });

  test('who sends what must be answered and does not read is not read, until it reads', async () => {
    const first = server.started.length;
    const socket = await aRawSocket(server.url, { init: null });
    for (let index = 0; index < 50; index++) socket.send({ ...SUBSCRIBE, id: `s${index}` });
    await waitFor('fifty', () => server.started.length === first + 50);
    socket.socket.pause();
    // Each is answered with an error of nearly 500 bytes: 15 MB in all.
    const refused = JSON.stringify({ ...SUBSCRIBE, id: 'x'.repeat(250) });
    let sent = 0;
    await waitFor('the gateway to stop reading', async () => {
      for (let index = 0; index < 5_000 && sent < 30_000; index++, sent++) socket.socket.send(refused);
      await new Promise((resolve) => setImmediate(resolve));
      return socket.socket.bufferedAmount > 1_000_000 && sent === 30_000;
    });
    socket.socket.resume();
    await waitFor('all answers', () => socket.messages.length === 30_001);
    socket.socket.close();
  });

  test('ids that are longer than any client’s are refused', async () => {
    const socket = await aRawSocket(server.url, { init: null });
    socket.send({ ...SUBSCRIBE, id: 'x'.repeat(257) });
    expect(await socket.closed).toEqual({ code: 4400, reason: expect.stringContaining('256') as string });
  });
});

test('10 000 times subscribe and complete leave nothing behind', async () => {
  await using running = await aRunningShop('in process');
  const socket = await aRawSocket(running.webSocketUrl, { init: null });
  const cycles = async (times: number): Promise<void> => {
    for (let index = 0; index < times; index++) {
      socket.send({ type: 'subscribe', id: `s${index}`, payload: { query: 'subscription { quiet { n } }' } });
      socket.send({ type: 'complete', id: `s${index}` });
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.send({ type: 'subscribe', id: 'last', payload: { query: '{ who }' } });
    await socket.receive('complete', 'last');
    expect(resultsOf(socket, 'last')).toEqual([{ data: { who: null } }]);
    socket.messages.length = running.shop.calls.length = 0;
    await waitFor('the streams to end', () => running.shop.feeds.quiet.open === 0);
  };
  await cycles(1_000);
  const before = heapInUse();
  await cycles(10_000);
  expect(heapInUse() - before).toBeLessThan(2_000_000);
  expect(socket.messages).toEqual([]);
  socket.socket.close();
});
