import { CircuitBreaker, HELD_OFF, type BreakerSettings, type CallOutcome } from './breaker';

const SETTINGS: BreakerSettings = { windowMs: 10_000, minRequests: 20, failureRatio: 0.5, openMs: 5_000 };

/** A breaker whose clock a test moves. */
function aBreaker(settings: Partial<BreakerSettings> = {}) {
  const clock = { ms: 1_000_000 };
  const changes: string[] = [];
  const breaker = new CircuitBreaker(
    { ...SETTINGS, ...settings },
    (state) => changes.push(state),
    () => clock.ms,
  );
  const calls = (count: number, outcome: CallOutcome): void => {
    for (let call = 0; call < count; call++) breaker.record(breaker.pass(), outcome);
  };
  return { breaker, clock, changes, calls, isOpen: () => breaker.pass() === HELD_OFF };
}

test('opens when half of at least 20 calls failed, and not before', () => {
  const { calls, isOpen, changes } = aBreaker();
  calls(10, 'answered');
  calls(9, 'failed');
  expect(isOpen()).toBe(false);
  calls(1, 'failed');
  expect(isOpen()).toBe(true);
  expect(changes).toEqual(['open']);
});

test('stays closed while less than half fails, however many calls there are', () => {
  const { calls, isOpen } = aBreaker();
  for (let round = 0; round < 100; round++) {
    calls(11, 'answered');
    calls(9, 'failed');
  }
  expect(isOpen()).toBe(false);
});

test('callers that left count for nothing', () => {
  const { calls, isOpen } = aBreaker();
  calls(500, 'abandoned');
  calls(19, 'failed');
  expect(isOpen()).toBe(false);
});

test('forgets what is older than its window', () => {
  const { calls, clock, isOpen } = aBreaker();
  calls(19, 'failed');
  clock.ms += 10_000;
  calls(19, 'failed');
  expect(isOpen()).toBe(false);
  clock.ms += 5_000; // those 19 are still in the window
  calls(1, 'failed');
  expect(isOpen()).toBe(true);
});

test('half-open, one call at a time may try; an answer closes it with a clean window', () => {
  const { breaker, calls, clock, isOpen, changes } = aBreaker();
  calls(20, 'failed');
  clock.ms += 4_999;
  expect(isOpen()).toBe(true);
  clock.ms += 1;
  const probe = breaker.pass();
  expect(probe).not.toBe(HELD_OFF);
  expect(isOpen()).toBe(true);
  breaker.record(probe, 'answered');
  expect(changes).toEqual(['open', 'closed']);
  calls(19, 'failed');
  expect(isOpen()).toBe(false);
});

test('half-open, a failure holds calls off for another time', () => {
  const { breaker, calls, clock, isOpen } = aBreaker();
  calls(20, 'failed');
  clock.ms += 5_000;
  breaker.record(breaker.pass(), 'failed');
  clock.ms += 4_999;
  expect(isOpen()).toBe(true);
  clock.ms += 1;
  expect(breaker.pass()).not.toBe(HELD_OFF);
});

test('half-open, a caller that left leaves the try to the next one', () => {
  const { breaker, calls, clock, isOpen } = aBreaker();
  calls(20, 'failed');
  clock.ms += 5_000;
  breaker.record(breaker.pass(), 'abandoned');
  expect(breaker.pass()).not.toBe(HELD_OFF);
  expect(isOpen()).toBe(true);
});

test('calls from before it opened decide nothing afterwards', () => {
  const { breaker, calls, clock, isOpen } = aBreaker();
  const [early, late] = [breaker.pass(), breaker.pass()];
  calls(20, 'failed');
  breaker.record(early, 'answered');
  expect(isOpen()).toBe(true);
  clock.ms += 5_000;
  const probe = breaker.pass();
  breaker.record(late, 'failed');
  breaker.record(probe, 'answered');
  expect(isOpen()).toBe(false);
});
