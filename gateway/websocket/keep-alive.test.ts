import { fakeIntervals } from '../../platform/testing/fake-intervals';
import { waitFor } from '../../platform/testing/wait';
import { servedSockets } from '../testing/socket-server';
import { aRawSocket } from '../testing/socket-client';

/** Longest time after which a client has been pinged twice, in seconds. */
const TWO_PINGS_S = 24;

// Only what repeats is under the test's control: the pings.
beforeEach(fakeIntervals);
afterEach(() => jest.useRealTimers());

test('a client that is gone without a word is noticed within two pings; who answers stays', async () => {
  await using server = await servedSockets();
  const gone = await aRawSocket(server.url, { init: null });
  const alive = await aRawSocket(server.url, { init: null });
  const busy = await aRawSocket(server.url, { init: null });
  gone.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } });
  await waitFor('the operation', () => server.started.length === 1);
  gone.socket.pause(); // a host that is gone reads and answers nothing
  let pings = 0;
  alive.socket.on('ping', () => pings++);
  for (let seconds = 1; seconds <= TWO_PINGS_S; seconds++) {
    jest.advanceTimersByTime(1_000);
    if (seconds % 12 === 0) await waitFor('a ping', () => pings === seconds / 12);
    // While messages of another client come and go, the answer to the ping arrives.
    for (let turn = 0; turn < 3; turn++) {
      busy.send({ type: 'ping' });
      await waitFor('its pong', () => busy.messages.splice(1).length > 0);
    }
  }
  await waitFor('its end', () => server.started[0]!.left.length === 1);
  expect(server.started[0]!.left).toEqual(['lost']);
  expect(server.connections.size).toBe(2);
  expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  gone.socket.terminate();
});

test('a client with much to read may answer a ping later, and hears why it has to leave', async () => {
  await using server = await servedSockets();
  const slow = await aRawSocket(server.url, { init: null });
  slow.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } });
  const { outlet } = await waitFor('the operation', () => server.started[0]);
  slow.socket.pause();
  const frame = { payload: `{"data":"${'x'.repeat(100_000)}"}`, cursor: undefined };
  await waitFor('a full connection', () => {
    outlet.next(frame);
    return !outlet.hasRoom;
  });
  for (let seconds = 1; seconds <= TWO_PINGS_S; seconds++) jest.advanceTimersByTime(1_000);
  outlet.disconnect('CONSUMER_TOO_SLOW', 'c1');
  for (let seconds = 1; seconds <= TWO_PINGS_S; seconds++) jest.advanceTimersByTime(1_000);
  slow.socket.resume();
  expect(await slow.closed).toEqual({ code: 4413, reason: 'Too slow; resume after c1' });
});

test('a client that reads nothing of what waits for it is gone after three pings', async () => {
  await using server = await servedSockets();
  const slow = await aRawSocket(server.url, { init: null });
  slow.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } });
  const { outlet, left } = await waitFor('the operation', () => server.started[0]);
  slow.socket.pause();
  const frame = { payload: `{"data":"${'x'.repeat(100_000)}"}`, cursor: undefined };
  await waitFor('a full connection', () => {
    outlet.next(frame);
    return !outlet.hasRoom;
  });
  for (let seconds = 1; seconds <= 36; seconds++) jest.advanceTimersByTime(1_000);
  await waitFor('its end', () => left.length === 1);
  slow.socket.terminate();
});

test('a client that reads slowly and answers no ping stays while it reads, and is gone when it stops', async () => {
  await using server = await servedSockets();
  const slow = await aRawSocket(server.url, { init: null, autoPong: false });
  slow.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { s }' } });
  const { outlet, left } = await waitFor('the operation', () => server.started[0]);
  slow.socket.pause();
  const frame = { payload: `{"data":"${'x'.repeat(2_000_000)}"}`, cursor: undefined };
  const fill = (): Promise<boolean> =>
    waitFor('a full connection', () => {
      const wasFull = !outlet.hasRoom;
      if (!wasFull) outlet.next(frame);
      return wasFull;
    });
  const untilNextPing = (): void => {
    for (let seconds = 1; seconds <= 12; seconds++) jest.advanceTimersByTime(1_000);
  };
  for (let round = 1; round <= 6; round++) {
    await fill();
    untilNextPing();
    expect([round, left]).toEqual([round, []]);
    const { progress } = outlet;
    slow.socket.resume();
    await waitFor('something to be taken', () => outlet.progress !== progress);
    slow.socket.pause();
  }
  await fill();
  for (let pings = 1; pings <= 4; pings++) untilNextPing();
  expect(left).toEqual(['lost']);
  slow.socket.terminate();
});
