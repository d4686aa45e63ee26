import { Retry } from './retry';

const LIMITS = { retryForMs: 60_000, retryFirstForMs: 10_000 };

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Attempts that each last `attemptMs` and break, until they are given up; how long that takes. */
function triedForMs(retry: Retry, attemptMs: number, wasTaken: boolean): number {
  const began = performance.now();
  for (let attempts = 0; attempts < 1_000; attempts++) {
    const startedAt = performance.now();
    jest.advanceTimersByTime(attemptMs);
    const pauseMs = retry.pauseMs(startedAt, wasTaken);
    if (pauseMs === undefined) return performance.now() - began;
    jest.advanceTimersByTime(pauseMs);
  }
  return Infinity;
}

test('a stream that is never taken is given up in time, also when each attempt takes long', () => {
  expect(triedForMs(new Retry(LIMITS), 0, true)).toBeLessThanOrEqual(10_010);
  expect(triedForMs(new Retry(LIMITS), 10_000, false)).toBeLessThanOrEqual(20_000);
});

test('a stream that was open is tried for longer', () => {
  const retry = new Retry(LIMITS);
  retry.succeeded();
  const ms = triedForMs(retry, 0, true);
  expect(ms).toBeGreaterThanOrEqual(59_900);
  expect(ms).toBeLessThanOrEqual(60_010);
});

test('one that holds for a while each time is never given up', () => {
  expect(triedForMs(new Retry(LIMITS), 20_000, true)).toBe(Infinity);
});

test('pauses grow up to five seconds, and are not all the same', () => {
  const pauses = Array.from({ length: 8 }, () => new Retry(LIMITS)).map((retry) => {
    retry.succeeded();
    return Array.from({ length: 10 }, () => retry.pauseMs(performance.now(), true)!);
  });
  for (const [first, second, , , , , , , , last] of pauses) {
    expect(first).toBeLessThanOrEqual(100);
    expect(second).toBeLessThanOrEqual(200);
    expect(last).toBeGreaterThanOrEqual(2_500);
    expect(last).toBeLessThanOrEqual(5_000);
  }
  expect(new Set(pauses.map(([first]) => first)).size).toBeGreaterThan(1);
});
