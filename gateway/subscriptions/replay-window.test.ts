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
  frames: new Map(),
  madeSize: 0,
  ...more,
});

test('what was made of events is kept up to the size of the window, that of the newest events', () => {
  const window = new ReplayWindow({ replayEvents: 256, replayBytes: 1_000 }, false);
  const events = Array.from({ length: 10 }, (_, index) => anEvent(index));
  const variants = Array.from({ length: 3 }, aVariant);
  for (const event of events) {
    window.push(event);
    for (const variant of variants) window.keep(event, variant, { payload: 'x'.repeat(100), cursor: undefined });
  }
  expect(events.map(({ frames }) => frames.size)).toEqual([0, 0, 0, 0, 0, 0, 0, 3, 3, 3]);
  // Somebody who is behind has an old one made again.
  window.keep(events[2]!, variants[0]!, { payload: 'x'.repeat(100), cursor: undefined });
  expect(events.map(({ frames }) => frames.size)).toEqual([0, 0, 1, 0, 0, 0, 0, 3, 3, 3]);
  window.keep(events[9]!, aVariant(), { payload: 'x'.repeat(300), cursor: undefined });
  expect(events.map(({ frames }) => frames.size)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 3, 4]);
  for (let count = 0; count < 20; count++)
    window.keep(events[9]!, aVariant(), { payload: 'x'.repeat(500), cursor: undefined });
  expect(events.map(({ frames }) => frames.size)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
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

test('what was made for those who are gone takes no room', () => {
  const window = new ReplayWindow({ replayEvents: 256, replayBytes: 1_000 }, false);
  const event = anEvent(0);
  window.push(event);
  for (let count = 0; count < 50; count++) {
    const variant = aVariant();
    window.keep(event, variant, { payload: 'x'.repeat(100), cursor: undefined });
    window.forget(variant);
  }
  expect([event.frames.size, event.madeSize]).toEqual([0, 0]);
});
