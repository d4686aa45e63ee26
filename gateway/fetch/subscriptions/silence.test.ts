import { Silence } from './silence';

/** Tells for how long a sender has been silent when it is given up; 0 as long as it is not. */
function watching(keepAliveMs: number): { silence: Silence; goneAfterMs: () => number } {
  let gone = 0;
  const silence = new Silence(keepAliveMs, (silentMs) => (gone = silentMs));
  return { silence, goneAfterMs: () => gone };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const pass = (ms: number): void => void jest.advanceTimersByTime(ms);

test('who never sent a comment, or only one, may be silent for ever', () => {
  const { silence, goneAfterMs } = watching(100);
  silence.sign();
  silence.beat();
  silence.sign();
  pass(1_000_000);
  expect(goneAfterMs()).toBe(0);
});

test('who sends comments is gone after twice the longest pause between two, counted from anything that arrives', () => {
  const { silence, goneAfterMs } = watching(100);
  for (const pause of [0, 300, 200]) {
    pass(pause);
    silence.beat();
  }
  pass(599);
  silence.sign();
  pass(599);
  expect(goneAfterMs()).toBe(0);
  pass(1);
  expect(goneAfterMs()).toBe(600);
});

test('the limit is never shorter than twice the configured interval', () => {
  const { silence, goneAfterMs } = watching(100);
  silence.beat();
  silence.beat();
  pass(199);
  expect(goneAfterMs()).toBe(0);
  pass(1);
  expect(goneAfterMs()).toBe(200);
});

test('while nobody reads, nothing is expected; afterwards the time counts anew', () => {
  const { silence, goneAfterMs } = watching(100);
  silence.beat();
  silence.beat();
  silence.excuse(true);
  pass(1_000);
  expect(goneAfterMs()).toBe(0);
  silence.excuse(false);
  pass(199);
  expect(goneAfterMs()).toBe(0);
  pass(1);
  expect(goneAfterMs()).toBe(200);
});

test('who is not watched any more is never gone', () => {
  const { silence, goneAfterMs } = watching(100);
  silence.beat();
  silence.beat();
  silence.stop();
  pass(1_000);
  expect(goneAfterMs()).toBe(0);
});
