import { ReplayWindow } from './replay-window';
import type { StreamEvent } from './stream-event';
import type { Variant } from './variant';

/** Only its identity counts here. */
const aVariant = (): Variant => ({}) as Variant;
const anEvent = (index: number, more: Partial<StreamEvent> = {}): StreamEvent => ({
  index,
  cursor: `c${index}`,
  key: undefined,
  isSnapshot: false,
  gap: undefined,
  answer: {},
  size: 100,
  frames: new WeakMap(),
  ...more,
});

test('what was made of events is kept up to the size of the window, the newest of it', () => {
  const window = new ReplayWindow({ replayEvents: 256, replayBytes: 1_000 }, false);
  const event = anEvent(0);
  window.push(event);
  const variants = Array.from({ length: 30 }, aVariant);
  for (const variant of variants) window.keep(event, variant, { payload: 'x'.repeat(100), cursor: 'c0' });
  expect(variants.map((variant) => event.frames.has(variant))).toEqual(variants.map((_, index) => index >= 20));
});

test('the newest events of keys are kept beyond the window, up to its size', () => {
  const window = new ReplayWindow({ replayEvents: 16, replayBytes: 5_000 }, true);
  for (let index = 0; index < 200; index++) window.push(anEvent(index, { key: `k${index}` }));
  expect([window.start, window.end]).toEqual([184, 200]);
  expect(window.nextNewest(0)?.index).toBe(150);
  for (let index = 200; index < 240; index++) window.push(anEvent(index, { key: 'k150' }));
  expect(window.isSuperseded(anEvent(150, { key: 'k150' }))).toBe(true);
  expect(window.nextNewest(0)?.index).toBe(151);
});
