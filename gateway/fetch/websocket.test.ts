import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { silentLogger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import { DEFAULT_SUBGRAPH_SETTINGS } from './subgraph-settings';
import { subgraphOperation } from './transport';
import { webSocketSubscriptions } from './websocket';

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
  const events = webSocketSubscriptions({
    name: 'silent',
    url: `http://127.0.0.1:${port}/graphql`,
    webSocketUrl: `ws://127.0.0.1:${port}/graphql`,
    signCall: undefined,
    settings: { ...DEFAULT_SUBGRAPH_SETTINGS, maxAnswerBytes: 1_000_000 },
    logger: silentLogger,
  })({
    operation: subgraphOperation('subscription { n }', undefined, 'subscription'),
    variablesText: () => '{}',
    variables: () => ({}),
    hasUploads: false,
    headers: undefined,
    authorization: undefined,
    identity: { viewer: null, requestId: 'test' },
    signal: new AbortController().signal,
  });
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
