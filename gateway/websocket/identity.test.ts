import { SautiError } from '../../platform/errors';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import { NewsDesk } from '../testing/news-desk';
import { servedSockets, type ServedSockets } from '../testing/socket-server';
import { aRawSocket, type RawSocket } from '../testing/socket-client';

/** `Bearer <user> <session> <seconds>` is what it says. */
const authenticate: Authenticate = async (authorization) => {
  const [, userId, sessionId, seconds] = /^Bearer (\w+) (\w+) ([\d.]+)$/.exec(authorization ?? '') ?? [];
  if (!userId || !sessionId) throw new SautiError('UNAUTHENTICATED', 'The token is not valid.');
  return {
    viewer: { userId, sessionId, scopes: [] },
    issuedAt: new Date(),
    endsAt: new Date(Date.now() + Number(seconds) * 1_000),
  };
};

const connect = (server: ServedSockets, token: string): Promise<RawSocket> =>
  aRawSocket(server.url, { init: { authorization: `Bearer ${token}` } });
const idOf = ({ messages }: RawSocket): string => (messages[0]!.payload as { connectionId: string }).connectionId;
const SUBSCRIBE = { type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } };

test('the acknowledgement tells the id of the connection, another one for each', async () => {
  await using server = await servedSockets({ authenticate });
  const ids = [idOf(await connect(server, 'ada one 600')), idOf(await aRawSocket(server.url, { init: null }))];
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(ids[0]).not.toBe(ids[1]);
});

test('a token in a ping renews the connection: the socket outlives the first token, and operations ask with the new one', async () => {
  await using server = await servedSockets({ authenticate });
  const socket = await connect(server, 'ada one 1.5');
  socket.send(SUBSCRIBE);
  await waitFor('the operation', () => server.started.length === 1);
  socket.send({ type: 'ping', payload: { authorization: 'Bearer ada two 600' } });
  const { payload } = await socket.receive('pong');
  const until = new Date((payload as { renewedUntil: string }).renewedUntil).getTime();
  expect(until).toBeGreaterThan(Date.now() + 500_000);
  const [{ asker, renewed }] = server.started as [(typeof server.started)[0]];
  expect(renewed).toEqual([
    {
      ...asker,
      authorization: 'Bearer ada two 600',
      identity: {
        viewer: { userId: 'ada', sessionId: 'two', scopes: [] },
        requestId: asker.identity.requestId,
      },
    },
  ]);
  // One that was not renewed ends later than the first token of this one.
  const other = await connect(server, 'ada one 1.5');
  expect(await other.closed).toEqual({ code: 4403, reason: 'Access token expired' });
  expect(socket.socket.readyState).toBe(socket.socket.OPEN);
  socket.send({ ...SUBSCRIBE, id: 't' });
  await waitFor('another operation', () => server.started.length === 2);
  expect(server.started[1]!.asker.identity.viewer?.sessionId).toBe('two');
});

test.each([
  ['of somebody else', 'Bearer grace s 600', 'NOT_FOUND'],
  ['that is not good', 'Bearer old', 'UNAUTHENTICATED'],
  ['that is none', null, 'UNAUTHENTICATED'],
  ['that is no text', { a: 1 }, 'UNAUTHENTICATED'],
])('renewal with a token %s is refused in the pong, and the one before goes on', async (_, authorization, code) => {
  await using server = await servedSockets({ authenticate });
  const socket = await connect(server, 'ada one 600');
  socket.send({ type: 'ping', payload: { authorization } });
  expect((await socket.receive('pong')).payload).toEqual({ error: { code, message: expect.any(String) as string } });
  socket.send(SUBSCRIBE);
  await waitFor('the operation', () => server.started.length === 1);
  expect(server.started[0]!.asker.authorization).toBe('Bearer ada one 600');
});

test('a ping renews however it spells "authorization"', async () => {
  await using server = await servedSockets({ authenticate });
  const socket = await connect(server, 'ada one 600');
  socket.send({ type: 'ping', payload: { Authorization: 'Bearer ada two 600' } });
  expect((await socket.receive('pong')).payload).toEqual({ renewedUntil: expect.any(String) as string });
});

test('a connection cannot be renewed before it is acknowledged', async () => {
  await using server = await servedSockets({ authenticate });
  const socket = await aRawSocket(server.url);
  socket.send({ type: 'ping', payload: { authorization: 'Bearer ada one 600' } });
  expect((await socket.receive('pong')).payload).toMatchObject({ error: { code: 'NOT_FOUND' } });
  expect(server.connections.size).toBe(0);
});

test('a token that ends soon is announced once, with its end; nothing is sent after that end', async () => {
  await using server = await servedSockets({ authenticate });
  const socket = await connect(server, 'ada one 1');
  socket.send(SUBSCRIBE);
  const { payload } = await socket.receive('ping');
  expect(payload).toEqual({ code: 'TOKEN_EXPIRING', expiresAt: expect.any(String) as string });
  expect(await socket.closed).toEqual({ code: 4403, reason: 'Access token expired' });
  server.started[0]!.outlet.next({ payload: '{}', cursor: undefined });
  expect(socket.messages.map(({ type }) => type)).toEqual(['connection_ack', 'ping', 'ping']);
  expect(socket.messages[2]?.payload).toEqual({ code: 'TOKEN_EXPIRED', cursors: {} });
  expect(server.started[0]!.left).toEqual(['lost']);
});

test('a session that ends closes its sockets with 4403, and no others; its token opens none', async () => {
  const desk = new NewsDesk();
  await using server = await servedSockets({ authenticate, accessChanges: desk.changes });
  const one = await connect(server, 'ada one 600');
  const two = await connect(server, 'ada two 600');
  one.send(SUBSCRIBE);
  const { outlet } = await waitFor('the operation', () => server.started[0]);
  outlet.next({ payload: '{}', cursor: 'c1' });
  desk.ended('one');
  expect(await one.closed).toEqual({ code: 4403, reason: 'Session ended' });
  expect(one.messages.at(-1)).toEqual({ type: 'ping', payload: { code: 'SESSION_ENDED', cursors: { s: 'c1' } } });
  expect(two.socket.readyState).toBe(two.socket.OPEN);
  const again = await aRawSocket(server.url);
  again.send({ type: 'connection_init', payload: { authorization: 'Bearer ada one 600' } });
  expect(await again.closed).toEqual({ code: 4403, reason: expect.stringContaining('has ended') as string });
  two.send({ type: 'ping', payload: { authorization: 'Bearer ada one 600' } });
  expect((await two.receive('pong')).payload).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
});

test('what was asked on a socket before its session ended is answered there; nothing more is taken', async () => {
  const desk = new NewsDesk();
  await using server = await servedSockets({ authenticate, accessChanges: desk.changes });
  const one = await connect(server, 'ada one 600');
  one.send({ type: 'subscribe', id: 'm', payload: { query: 'mutation { endSessions }' } });
  one.send(SUBSCRIBE);
  const [mutation, subscription] = await waitFor('both', () =>
    server.started.length === 2 ? server.started : undefined,
  );
  desk.ended('one');
  await one.receive('ping');
  expect(subscription!.left).toEqual(['lost']);
  mutation!.outlet.next({ payload: '{"data":{}}', cursor: undefined });
  mutation!.outlet.complete();
  expect((await one.receive('next', 'm')).payload).toEqual({ data: {} });
  expect(await one.closed).toEqual({ code: 4403, reason: 'Session ended' });

  const other = await connect(server, 'ada two 600');
  other.send({ type: 'subscribe', id: 'm', payload: { query: 'mutation { slow }' } });
  await waitFor('the third', () => server.started.length === 3);
  desk.ended('two');
  await other.receive('ping');
  other.send({ type: 'subscribe', id: 'n', payload: { query: 'mutation { another }' } });
  expect(await other.closed).toEqual({ code: 4403, reason: 'Session ended' });
  expect(server.started).toHaveLength(3);
});

test('an account whose rights change loses its sockets with 4403, and comes back with a token issued since', async () => {
  const desk = new NewsDesk();
  await using server = await servedSockets({ authenticate, accessChanges: desk.changes });
  const before = await connect(server, 'ada one 600');
  const other = await connect(server, 'grace one 600');
  desk.changed('ada');
  expect(await before.closed).toEqual({ code: 4403, reason: 'Access changed' });
  expect(before.messages.at(-1)?.payload).toEqual({ code: 'ACCESS_CHANGED', cursors: {} });
  expect(other.socket.readyState).toBe(other.socket.OPEN);
  expect(idOf(await connect(server, 'ada one 600'))).toMatch(/^[0-9a-f-]{36}$/);
});

test('one socket more than a user may have is closed with 4414, the others stay, and a place is free after one closes', async () => {
  await using server = await servedSockets({ authenticate });
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connect(server, 'ada one 600')));
  const refused = await aRawSocket(server.url);
  refused.send({ type: 'connection_init', payload: { authorization: 'Bearer ada one 600' } });
  expect(await refused.closed).toEqual({ code: 4414, reason: expect.stringContaining('SUBSCRIPTION_LIMIT') as string });
  await connect(server, 'grace one 600');
  expect(sockets.every(({ socket }) => socket.readyState === socket.OPEN)).toBe(true);
  sockets[0]!.socket.close();
  await waitFor('its end', () => server.connections.size === 20);
  await connect(server, 'ada one 600');
});
