import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { SautiError } from '../../platform/errors';
import { waitFor } from '../../platform/testing/wait';
import { DEFAULT_UPSTREAM_SETTINGS } from '../fetch/upstream-settings';
import { runningStreams, type RunningStreams, type StreamGateway } from '../testing/streams';
import { subscribeTo } from '../testing/subscriber';

let running: RunningStreams;
let gateway: StreamGateway;
beforeEach(async () => {
  running = await runningStreams('over HTTP');
  gateway = await running.aGateway({ subscriptions: { retryFirstForMs: 300 } });
});
afterEach(() => running[Symbol.asyncDispose]());

const ENTRIES = 'subscription { entries(topic: "a") { ... on Entry { n person { name } } } }';

test('a stream with cursors goes on when its subgraph was away, and nobody notices', async () => {
  running.world.topic('a').append();
  const all = [await subscribeTo(gateway, ENTRIES), await subscribeTo(gateway, ENTRIES)];
  for (const each of all) await each.has(1);
  for (let round = 0; round < 3; round++) {
    await running.kill('logs');
    running.world.topic('a').append();
    await running.revive('logs');
    running.world.topic('a').append();
    for (const each of all) await each.has(3 + 2 * round);
  }
  for (const each of all) {
    expect(each.values('n')).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(each.frames.every(({ errors }) => errors === undefined)).toBe(true);
  }
  expect(gateway.gateway.subscriptions.reopened).toBeGreaterThanOrEqual(3);
});

test('a stream with cursors is opened again when its subgraph cannot serve it for the moment', async () => {
  running.world.refusal = new SautiError('DATABASE_UNAVAILABLE', 'The database is away.');
  const all = await subscribeTo(gateway, ENTRIES);
  await waitFor('some tries', () => running.world.opened.length >= 2);
  running.world.refusal = undefined;
  running.world.topic('a').append();
  await all.has(1);
  expect(all.frames[0]?.data).toEqual({ entries: { n: 1, person: { name: 'Person p1' } } });
});

test('a subgraph that cannot be reached from the beginning is told as an error, and the socket lives on', async () => {
  await running.kill('logs');
  const all = await subscribeTo(gateway, ENTRIES);
  await waitFor('the end', () => all.isComplete);
  expect(all.frames).toEqual([
    {
      data: null,
      errors: [
        expect.objectContaining({
          path: ['entries'],
          extensions: { code: 'SUBGRAPH_UNAVAILABLE', requestId: expect.any(String) },
        }),
      ],
    },
  ]);
  all.socket.send({ type: 'subscribe', id: 'q', payload: { query: '{ people }' } });
  await all.socket.receive('complete', 'q');
});

test('a subgraph that never takes the subscription is told as an error', async () => {
  const silent = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as AddressInfo;
  try {
    const subscriptions = { ...DEFAULT_UPSTREAM_SETTINGS, ackMs: 300 };
    const waiting = await running.aGateway({
      subscriptions: { retryFirstForMs: 400 },
      remoteSubgraph: (name) =>
        name === 'logs'
          ? { subscriptionUrl: `ws://127.0.0.1:${port}/graphql`, settings: { subscriptions } }
          : undefined,
    });
    const all = await subscribeTo(waiting, ENTRIES);
    await waitFor('the end', () => all.isComplete);
    expect(all.frames[0]?.errors?.[0]?.extensions.code).toBe('SUBGRAPH_TIMEOUT');
  } finally {
    for (const socket of silent.clients) socket.terminate();
    await new Promise((resolve) => silent.close(resolve));
  }
});

test('a stream without cursors that breaks ends with an error for each of its subscribers', async () => {
  const query = 'subscription { ticks(topic: "a") { n } }';
  const all = [await subscribeTo(gateway, query), await subscribeTo(gateway, query)];
  await waitFor('the stream', () => running.world.open === 1);
  await running.kill('logs');
  for (const each of all) {
    await waitFor('the end', () => each.isComplete);
    expect(each.frames[0]?.errors?.[0]?.extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    expect(each.frames).toHaveLength(1);
  }
});

test('fields of a subgraph that is away are null on that event, with an error, and the stream goes on', async () => {
  const all = await subscribeTo(gateway, 'subscription { entries(topic: "a") { ... on Entry { n place { title } } } }');
  await running.kill('places');
  running.world.topic('a').append();
  await all.has(1);
  await running.revive('places');
  // The pool may still hold a connection of before.
  await waitFor('an answer that is whole', () => {
    running.world.topic('a').append();
    return all.frames.some(({ errors }) => errors === undefined);
  });
  expect(all.frames[0]).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    extensions: { cursor: 'a:1' },
  });
  expect(all.frames.map(({ extensions }) => extensions?.cursor)).toEqual(
    all.frames.map((_, index) => `a:${index + 1}`),
  );
});

test('a gateway that is killed and started again loses and repeats nothing for those who come back', async () => {
  const first = await subscribeTo(gateway, ENTRIES);
  running.world.topic('a').append();
  running.world.topic('a').append();
  await first.has(2);
  const port = Number(new URL(gateway.url).port);
  await gateway[Symbol.asyncDispose]();
  expect((await first.socket.closed).code).toBe(1001);
  running.world.topic('a').append();
  gateway = await running.aGateway({}, port);
  const second = await subscribeTo(gateway, ENTRIES, { extensions: { cursor: first.cursor } });
  running.world.topic('a').append();
  await second.has(2);
  expect([...first.values('n'), ...second.values('n')]).toEqual([1, 2, 3, 4]);
});
