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

test('says from where on it knows the newest event of each key', () => {
  const window = new ReplayWindow({ replayEvents: 16, replayBytes: 5_000 }, true);
  for (let index = 0; index < 50; index++) window.push(anEvent(index, { key: `k${index}` }));
  expect(window.knowsNewest(0)).toBe(true);
  window.push(anEvent(50, { key: 'k50' }));
  expect([window.knowsNewest(0), window.knowsNewest(1)]).toEqual([false, true]);
  window.push(anEvent(51, { gap: { reason: 'CURSOR_EXPIRED', missed: 1 } }));
  for (let index = 52; index < 70; index++) window.push(anEvent(index, { key: 'k1' }));
  expect([window.knowsNewest(51), window.knowsNewest(52)]).toEqual([false, true]);
});

test('what was made of an event goes with it', () => {
  const window = new ReplayWindow({ replayEvents: 16, replayBytes: 1_000 }, false);
  const variant = aVariant();
  const events = Array.from({ length: 40 }, (_, index) => anEvent(index));
  for (const event of events) {
    window.push(event);
    window.keep(event, variant, { payload: 'x', cursor: undefined });
  }
  window.keep(events[0]!, aVariant(), { payload: 'x'.repeat(900), cursor: undefined });
  expect(events.slice(24).every((event) => event.frames.has(variant))).toBe(true);
  expect([window.start, window.cursorBefore(window.start)]).toEqual([24, 'c23']);
});
