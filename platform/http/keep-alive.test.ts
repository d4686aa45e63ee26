import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { waitFor } from '../testing/wait';
import { keepAlive } from './keep-alive';

/** Far below what a test waits, far above what a pong on one machine takes. */
const INTERVAL_MS = 200;

interface Pair extends AsyncDisposable {
  /** The side that keeps alive. */
  near: WebSocket;
  /** The side that may be gone. */
  far: WebSocket;
  pings: () => number;
}

async function aPair(far: { autoPong: boolean }, options: Parameters<typeof keepAlive>[2] = {}): Promise<Pair> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: far.autoPong });
  await new Promise((resolve) => server.once('listening', resolve));
  const arrived = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
  const near = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  near.on('error', () => undefined);
  const opened = new Promise((resolve) => near.once('open', resolve));
  near.once('open', () => keepAlive(near, INTERVAL_MS, options));
  const farSocket = await arrived;
  await opened;
  let pings = 0;
  farSocket.on('ping', () => pings++);
  return {
    near,
    far: farSocket,
    pings: () => pings,
    async [Symbol.asyncDispose]() {
      near.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a peer that answers no ping is gone', async () => {
  await using pair = await aPair({ autoPong: false });
  await waitFor('the end', () => pair.near.readyState === WebSocket.CLOSED);
  expect(pair.pings()).toBe(1);
});

test('a peer that answers stays', async () => {
  await using pair = await aPair({ autoPong: true });
  await waitFor('some pings', () => pair.pings() >= 4);
  expect(pair.near.readyState).toBe(WebSocket.OPEN);
});

test('a peer that does not read, and so answers nothing, stays while it pings itself', async () => {
  await using pair = await aPair({ autoPong: false });
  pair.far.on('ping', () => pair.far.ping());
  await waitFor('some pings', () => pair.pings() >= 4);
  expect(pair.near.readyState).toBe(WebSocket.OPEN);
});

test('nothing is expected while this side itself does not read, and again when it reads', async () => {
  await using pair = await aPair({ autoPong: false }, { pausedIsAlive: true });
  pair.near.pause();
  await waitFor('some pings', () => pair.pings() >= 4);
  expect(pair.near.readyState).toBe(WebSocket.OPEN);
  pair.near.resume();
  await waitFor('the end', () => pair.near.readyState === WebSocket.CLOSED);
});
