import { silentLogger } from '../../platform/logger';
import { shopSupergraph } from '../testing/shop';
import { startPlanningThread } from './planning-thread';
import { createThreadPool } from './thread-pool';

const JOB = { text: '{ me { name } }', operationName: undefined, labels: [] };

test('the last thread ends after a minute without work, and the next operation gets a new one', async () => {
  const first = await startPlanningThread(shopSupergraph());
  // Only waiting is under the test's control.
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
  });
  const pool = createThreadPool({
    sdl: shopSupergraph(),
    first,
    threads: 2,
    budgetMs: 60_000,
    maxQueued: 10,
    logger: silentLogger,
  });
  try {
    expect(await pool.run(JOB).reply).toMatchObject({ kind: 'planned' });
    let hasEnded = false;
    void first.ended.then(() => (hasEnded = true));
    jest.advanceTimersByTime(59_000);
    expect(await pool.run(JOB).reply).toMatchObject({ kind: 'planned' });
    expect(hasEnded).toBe(false);
    jest.advanceTimersByTime(61_000);
    await first.ended;
    expect(await pool.run(JOB).reply).toMatchObject({ kind: 'planned' });
  } finally {
    jest.useRealTimers();
    await pool[Symbol.asyncDispose]();
  }
});
