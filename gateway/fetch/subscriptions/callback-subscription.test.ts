import { CallbackSubscription } from './callback-subscription';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A subscription that its subgraph has taken, with heartbeats every second: it is gone after three without one. */
async function begun() {
  const subscription = new CallbackSubscription({ baseUrl: 'http://gateway/', heartbeatMs: 1_000, maxEventBytes: 100 });
  const { id, verifier } = subscription;
  const receive = (action: string, sizeBytes = 0) =>
    subscription.receive(
      Promise.resolve({ message: { kind: 'subscription', id, verifier, action, payload: { data: {} } }, sizeBytes }),
    );
  await receive('check');
  subscription.begin({ data: null });
  return { subscription, receive };
}

test('checks and events are heartbeats, and without them the subgraph is gone', async () => {
  const { subscription, receive } = await begun();
  for (const action of ['check', 'next', 'check']) {
    jest.advanceTimersByTime(2_999);
    expect(await receive(action)).toBe('taken');
  }
  jest.advanceTimersByTime(3_000);
  expect(await receive('check')).toBe('unknown');
  const events = subscription.queue.read(new AbortController().signal);
  expect(await events.next()).toMatchObject({ value: { data: {} } });
  await expect(events.next()).rejects.toMatchObject({ message: 'sent no heartbeat for 3000 ms' });
});

test('no heartbeat is missed while the subgraph waits for a consumer that is behind', async () => {
  const { subscription, receive } = await begun();
  const waiting = receive('next', 1024 ** 2);
  expect(await receive('check')).toBe('taken'); // in its turn: the event has been taken
  jest.advanceTimersByTime(60_000);
  expect(await receive('check')).toBe('taken');
  await subscription.queue.read(new AbortController().signal).next();
  expect(await waiting).toBe('taken');
  jest.advanceTimersByTime(3_000);
  expect(await receive('check')).toBe('unknown');
});
