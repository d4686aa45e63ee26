import { resamplePeaks } from './peaks';

test('peaks of ten hours become one: the loudest', () => {
  const peaks = new Uint8Array(360_000);
  peaks[123_456] = 255;
  expect(resamplePeaks(peaks, 1)).toEqual([1]);
  expect(resamplePeaks(peaks, 4)).toEqual([0, 1, 0, 0]);
});

test('more points than peaks repeat them', () => {
  expect(resamplePeaks(Uint8Array.of(0, 255), 4)).toEqual([0, 0, 1, 1]);
});
