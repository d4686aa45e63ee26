import { waitFor } from '../../platform/testing/wait';
import { servedSockets, type ServedSockets } from '../testing/socket-server';
import { aRawSocket, type RawSocket } from '../testing/socket-client';

const QUERY = { type: 'subscribe', payload: { query: '{ q }' } };
const SUBSCRIPTION = { type: 'subscribe', payload: { query: 'subscription { s }' } };

/** A client with a subscription "s" and a query "q" under way. */
async function aBusyClient(server: ServedSockets): Promise<RawSocket> {
  const client = await aRawSocket(server.url, { init: null });
  client.send({ ...SUBSCRIPTION, id: 's' });
  client.send({ ...QUERY, id: 'q' });
  await waitFor('both', () => server.started.length === 2);
  server.started[0]!.outlet.next({ payload: '{"data":{"s":1}}', cursor: 'c1' });
  await client.receive('next', 's');
  return client;
}

test('stopping leaves subscriptions, refuses operations, and closes with 1001 when the last query is answered', async () => {
  await using server = await servedSockets();
  const client = await aBusyClient(server);
  const stopped = server.stop(60_000);
  expect(await client.receive('ping')).toEqual({
    type: 'ping',
    payload: { code: 'GOING_AWAY', cursors: { s: 'c1' } },
  });
  client.send({ ...QUERY, id: 'late' });
  expect(await client.receive('error', 'late')).toMatchObject({ payload: [{ extensions: { code: 'STOPPING' } }] });
  const [subscription, query] = server.started;
  expect([subscription!.left, query!.left]).toEqual([['lost'], []]);
  subscription!.outlet.next({ payload: '{"data":{"s":2}}', cursor: 'c2' });
  query!.outlet.next({ payload: '{"data":{"q":1}}', cursor: undefined });
  query!.outlet.complete();
  expect(await client.closed).toEqual({ code: 1001, reason: 'Going away' });
  await stopped;
  expect(client.messages.slice(-2)).toEqual([
    { type: 'next', id: 'q', payload: { data: { q: 1 } } },
    { type: 'complete', id: 'q' },
  ]);
  expect(client.messages.filter(({ id }) => id === 's')).toHaveLength(1);
  expect(server.started).toHaveLength(2);
});

test('a query that takes longer than the grace is left then, and its socket closed with 1001', async () => {
  await using server = await servedSockets();
  const client = await aBusyClient(server);
  await server.stop(50);
  expect(await client.closed).toEqual({ code: 1001, reason: 'Going away' });
  expect(server.started.map(({ left }) => left)).toEqual([['lost'], ['lost']]);
});

test('an operation that is being planned is waited for, unless it turns out to be a subscription', async () => {
  let plan = (): void => {};
  await using server = await servedSockets({ planned: new Promise((resolve) => (plan = resolve)) });
  const client = await aRawSocket(server.url, { init: null });
  const listener = await aRawSocket(server.url, { init: null });
  client.send({ ...QUERY, id: 'q' });
  await waitFor('the query', () => server.started.length === 1);
  listener.send({ ...SUBSCRIPTION, id: 's' });
  await waitFor('the subscription', () => server.started.length === 2);
  const stopped = server.stop(60_000);
  await listener.receive('ping');
  plan();
  expect((await listener.closed).code).toBe(1001);
  expect(server.started.map(({ left }) => left)).toEqual([[], ['lost']]);
  client.send({ type: 'complete', id: 'q' });
  expect((await client.closed).code).toBe(1001);
  expect(server.started[0]!.left).toEqual(['done']);
  await stopped;
});
