import { once } from 'node:events';
import { WebSocket } from 'ws';
import { echoSockets } from '../../platform/testing/echo-sockets';
import { aRunningShop, type RunningShop } from '../testing/gateways';
import { Shop, shopSubgraphs } from '../testing/shop';
import { aRawSocket } from '../testing/socket-client';

function withEcho(): Promise<RunningShop> {
  const subgraphs = shopSubgraphs(new Shop());
  subgraphs.set('products', { ...subgraphs.get('products')!, ...echoSockets() });
  return aRunningShop('in process', { subgraphs });
}

const at = (running: RunningShop, path: string): string => running.webSocketUrl.replace('/graphql', path);

async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  socket.terminate();
  return response.statusCode;
}

test('sockets that a subgraph has a route for are its own; all others are the gateway’s, or refused', async () => {
  await using running = await withEcho();
  const echo = new WebSocket(at(running, '/echo?any=query'));
  await once(echo, 'open');
  echo.send('hello');
  expect(String(((await once(echo, 'message')) as [Buffer])[0])).toBe('hello');
  const own = await aRawSocket(running.webSocketUrl, { init: null });
  own.send({ type: 'ping' });
  await own.receive('pong');
  expect(await statusOf(at(running, '/echo/other'))).toBe(404);
  echo.close();
  own.socket.close();
});

test('a page of another site reaches no route', async () => {
  await using running = await withEcho();
  expect(await statusOf(at(running, '/echo'), { origin: 'https://evil.example' })).toBe(403);
});

test('stopping closes them with 1001, and does not wait for who has left', async () => {
  const running = await withEcho();
  const echo = new WebSocket(at(running, '/echo'));
  await once(echo, 'open');
  const closed = once(echo, 'close');
  await running[Symbol.asyncDispose]();
  expect((await closed)[0]).toBe(1001);
});
