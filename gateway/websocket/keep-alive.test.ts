import { waitFor } from '../../platform/testing/wait';
import { servedSockets } from '../testing/socket-server';
import { aRawSocket } from '../testing/socket-client';

/** Longest time after which a client has been pinged twice. */
const TWO_PINGS_MS = 24_000;

// Only what repeats is under the test's control: the pings.
beforeEach(() =>
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
  }),
);
afterEach(() => jest.useRealTimers());

test('a client that is gone without a word is noticed within two pings; who answers stays', async () => {
  await using server = await servedSockets();
  const gone = await aRawSocket(server.url, { init: null });
  const alive = await aRawSocket(server.url, { init: null });
  gone.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } });
  await waitFor('the operation', () => server.started.length === 1);
  gone.socket.pause(); // a host that is gone reads and answers nothing
  let pings = 0;
  alive.socket.on('ping', () => pings++);
  for (let ms = 0; ms < TWO_PINGS_MS; ms += 1_000) {
    const before = pings;
    jest.advanceTimersByTime(1_000);
    if (ms % 12_000 === 11_000) await waitFor('a ping', () => pings > before || pings === (ms + 1_000) / 12_000);
    // The answer to a ping has arrived when that to a later message has.
    alive.send({ type: 'ping', payload: { ms } });
    await waitFor('the pong', () => alive.messages.some(({ payload }) => (payload as { ms?: number })?.ms === ms));
  }
  await waitFor('its end', () => server.started[0]!.left.length === 1);
  expect(server.started[0]!.left).toEqual(['lost']);
  expect(server.connections.size).toBe(1);
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  gone.socket.terminate();
});
