import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { waitFor } from '../../../platform/testing/wait';
import { aCall, aTransport } from '../../testing/transport';

test('the upgrade carries what is forwarded and set, and the first message the authorization', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  await new Promise((resolve) => server.once('listening', resolve));
  const seen: { headers?: IncomingHttpHeaders; init?: unknown } = {};
  server.on('connection', (socket, request) => {
    seen.headers = request.headers;
    socket.on('message', (data: Buffer) => {
      const { type, id, payload } = JSON.parse(data.toString()) as { type: string; id?: string; payload?: unknown };
      if (type === 'connection_init') {
        seen.init = payload;
        socket.send('{"type":"connection_ack"}');
      } else if (type === 'subscribe') socket.send(JSON.stringify({ type: 'complete', id }));
    });
  });
  const { port } = server.address() as AddressInfo;
  await using transport = aTransport(`http://127.0.0.1:${port}/graphql`, {
    headers: { forward: ['authorization', 'x-tenant'], set: { 'x-gateway': 'sauti' } },
  });
  try {
    const call = aCall({
      kind: 'subscription',
      authorization: 'Bearer mine',
      headers: { 'x-tenant': 'a', 'x-user-id': 'root', cookie: 'c=1' },
    });
    expect(await transport.subscribe(call).next()).toEqual({ done: true, value: undefined });
    expect(seen.init).toEqual({ authorization: 'Bearer mine' });
    expect(seen.headers).toMatchObject({ 'x-tenant': 'a', 'x-gateway': 'sauti', authorization: 'Bearer mine' });
    expect(seen.headers).not.toHaveProperty('x-user-id');
    expect(seen.headers).not.toHaveProperty('cookie');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a subgraph whose host vanishes ends the subscription with an error', async () => {
  // Only what repeats is under the test's control: the pings.
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  await new Promise((resolve) => server.once('listening', resolve));
  let subgraph: WebSocket | undefined;
  server.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => {
      const { type, id } = JSON.parse(data.toString()) as { type: string; id?: string };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type !== 'subscribe') return;
      socket.send(JSON.stringify({ type: 'next', id, payload: { data: { n: 1 } } }));
      subgraph = socket;
    }),
  );
  const { port } = server.address() as AddressInfo;
  await using transport = aTransport(`http://127.0.0.1:${port}/graphql`);
  const events = transport.subscribe(aCall({ kind: 'subscription' }));
  try {
    expect((await events.next()).value).toEqual({ data: { n: 1 } });
    const next = events.next().catch((error: Error) => error);
    const silent = await waitFor('the socket', () => subgraph);

    let pongs = 0;
    silent.once('ping', () => pongs++);
    jest.advanceTimersByTime(10_000);
    await waitFor('a ping', () => pongs === 1);
    silent.pause(); // a host that is gone reads and answers nothing
    for (let ping = 0; ping < 3; ping++) jest.advanceTimersByTime(10_000);
    expect(await next).toMatchObject({ message: expect.stringContaining('socket closed') });
  } finally {
    jest.useRealTimers();
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
});
