import { livePriceOf, priceOf } from './prices';

test.each([
  ['TRANSCRIBE', 1, 1],
  ['TRANSCRIBE', 60_000, 1],
  ['TRANSCRIBE', 60_001, 2],
  ['TRANSCODE', 600_000n, 10],
  ['TRANSLATE_TRANSCRIPT', 1_001, 2],
  ['TRANSLATE_TRANSCRIPT', 0, 1],
  ['TRANSCRIBE', null, 1],
  ['EXPORT_TRANSCRIPT', 1_000_000, 0],
  ['REFINE_TRANSCRIPT', null, 0],
  ['DELETE_ACCOUNT', null, null],
])('%s of size %p costs %p', (kind, size, credits) => {
  expect(priceOf(kind, size)).toBe(credits);
});

test('a live session costs its begun minutes, and nothing when none was heard', () => {
  expect([0, -5, 1, 60_000, 60_001].map(livePriceOf)).toEqual([0, 0, 1, 1, 2]);
});
