import { decodePcm } from '../decoder/decode-pcm';
import { inspectMedia } from '../decoder/inspect-media';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber/transcriber';
import type { Span } from './align-words';

/**
 * Decodes a part of the first sound track of a file on local disk to 16 kHz PCM: of one channel, or of all mixed. What
 * lies behind the end of the track is missing. Throws what {@link decodePcm} throws.
 */
export async function decodeRange(
  filePath: string,
  { startMs, endMs }: Span,
  { channel, signal }: { channel: number | null; signal: AbortSignal },
): Promise<Int16Array> {
  const { seeksExactly } = await inspectMedia(filePath, { signal });
  const samples = new Int16Array(Math.ceil(((endMs - startMs) * PCM_SAMPLE_RATE_HZ) / 1_000));
  let filled = 0;
  const options = { signal, startMs, seeksExactly, ...(channel === null ? {} : { channel }) };
  for await (const chunk of decodePcm(filePath, options)) {
    const part = chunk.subarray(0, samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
    if (filled === samples.length) break;
  }
  return samples.subarray(0, filled);
}
