import { silentLogger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import { servedSockets } from '../testing/socket-server';
import { aRawSocket } from '../testing/socket-client';

const nested = (levels: number): string => `{"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
const SUBSCRIBE = { type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } };

test.each([
  ['a ping', `{"type":"ping","payload":${nested(5_000)}}`],
  ['a pong', `{"type":"pong","payload":${nested(5_000)}}`],
  ['an initialisation', `{"type":"connection_init","payload":${nested(5_000)}}`],
  ['extensions', `{"type":"subscribe","id":"s","payload":{"query":"{ s }","extensions":${nested(501)}}}`],
])('%s that is nested thousands of levels deep closes its socket with 4400, and no other', async (_, text) => {
  await using server = await servedSockets();
  const other = await aRawSocket(server.url, { init: null });
  const socket = await aRawSocket(server.url);
  socket.send(text);
  expect(await socket.closed).toEqual({ code: 4400, reason: expect.stringContaining('500 levels') as string });
  other.send({ type: 'ping' });
  await other.receive('pong');
});

test('a ping of 500 levels is answered', async () => {
  await using server = await servedSockets();
  const socket = await aRawSocket(server.url, { init: null });
  socket.send(`{"type":"ping","payload":${nested(500)}}`);
  expect((await socket.receive('pong')).payload).toEqual(JSON.parse(nested(500)));
});

test('whatever fails while a message is taken closes that socket with 4500, and no other', async () => {
  const errors: unknown[] = [];
  await using server = await servedSockets({
    logger: { ...silentLogger, error: (fields) => void errors.push(fields) },
  });
  const other = await aRawSocket(server.url, { init: null });
  const socket = await aRawSocket(server.url, { init: null });
  socket.send(SUBSCRIBE);
  const { left } = await waitFor('the operation', () => server.started[0]);
  const fault = new Error('a fault of ours');
  left.push = () => {
    throw fault;
  };
  socket.send({ type: 'complete', id: 's' });
  expect(await socket.closed).toEqual({ code: 4500, reason: 'Internal server error' });
  expect(errors).toEqual([{ error: fault }]);
  other.send({ type: 'ping' });
  await other.receive('pong');
});

test('an operation whose start fails is answered with INTERNAL, and its id is free again', async () => {
  const planned = Promise.reject(new Error('a fault of ours'));
  planned.catch(() => {});
  await using server = await servedSockets({ planned });
  const socket = await aRawSocket(server.url, { init: null });
  for (let round = 1; round <= 2; round++) {
    socket.send(SUBSCRIBE);
    await waitFor('an answer', () => socket.messages.length === 1 + round);
    expect(socket.messages.at(-1)).toEqual({
      id: 's',
      type: 'error',
      payload: [{ message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL' } }],
    });
  }
});
