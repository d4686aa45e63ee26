import { decodePcm, type DecodeOptions } from '../decoder/decode-pcm';
import { MediaProblem } from '../decoder/media-problem';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber/transcriber';

/** Samples that one peak stands for: a tenth of a second. */
const SAMPLES_PER_PEAK = PCM_SAMPLE_RATE_HZ / 10;

/**
 * How loud the first sound track is: one byte for each tenth of a second, 0 to 255. What a cut-off file still holds
 * counts. Throws as `decodePcm` does.
 */
export async function readPeaks(file: string, options: DecodeOptions): Promise<Buffer> {
  const peaks: number[] = [];
  try {
    for await (const chunk of decodePcm(file, options)) {
      for (let start = 0; start < chunk.length; start += SAMPLES_PER_PEAK) {
        peaks.push(peakOf(chunk.subarray(start, start + SAMPLES_PER_PEAK)));
      }
    }
  } catch (error) {
    if (!(error instanceof MediaProblem && error.reason === 'CUT_OFF' && peaks.length > 0)) throw error;
  }
  return Buffer.from(peaks);
}

/** That many peaks, 0 to 1: each the loudest of its share of the recording. */
export function resamplePeaks(peaks: Uint8Array, points: number): number[] {
  return Array.from({ length: points }, (_, index) => {
    const start = Math.floor((index * peaks.length) / points);
    const end = Math.max(start + 1, Math.floor(((index + 1) * peaks.length) / points));
    const loudest = peaks.subarray(start, end).reduce((most, peak) => Math.max(most, peak), 0);
    return Math.round((loudest / 255) * 1_000) / 1_000;
  });
}

function peakOf(samples: Int16Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return Math.min(255, Math.round((peak / 32_767) * 255));
}
