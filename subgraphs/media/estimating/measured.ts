import type { MediaJobKind } from '../jobs/kinds';

/**
 * How fast work goes where nobody has measured it yet: units of its size a millisecond. Measured on 2 cores of a shared
 * machine (November 2026), rounded towards slow:
 *
 * - TRANSCRIBE, REFINE_TRANSCRIPT: PocketSphinx with ffmpeg on one core takes 0.16 s for a second of sound.
 * - TRANSLATE_TRANSCRIPT: Apertium English–Spanish, 20 to 50 characters a millisecond in batches of 25 sentences.
 * - EXPORT_TRANSCRIPT: 10 hours of subtitles are laid out in 2 s.
 * - TRANSCODE: x264 `veryfast` makes 20 s of 1280 × 720 in 4.6 s of CPU; sound alone is 100 times as fast.
 */
export const MEASURED_SPEEDS: Readonly<Record<MediaJobKind, number>> = {
  TRANSCRIBE: 1 / 0.16,
  TRANSLATE_TRANSCRIPT: 20,
  EXPORT_TRANSCRIPT: 10_000,
  TRANSCODE: 4,
  REFINE_TRANSCRIPT: 1 / 0.16,
};

/** What every job costs, however small: queue, inspection, commits. Measured: 0.18 s from the request to the start. */
export const OVERHEAD_MS = 200;

/** Characters of text for a millisecond of speech: 150 English words a minute, 5.7 characters each with their space. */
export const CHARACTERS_PER_MS = 0.014;
