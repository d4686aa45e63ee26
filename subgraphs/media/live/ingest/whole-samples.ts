import type { AudioFormat } from './audio-format';

/** Cuts what arrives into chunks of whole samples, none of them too long; what is left of a sample waits for its other half. */
export function wholeSamples({ sampleBytes, maxChunkBytes }: Pick<AudioFormat, 'sampleBytes' | 'maxChunkBytes'>): {
  next(piece: Buffer): Buffer[];
  /** What has no other half. */
  rest(): Buffer;
} {
  let rest: Buffer = Buffer.alloc(0);
  return {
    next(piece) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
      const whole = bytes.length - (bytes.length % sampleBytes);
      rest = bytes.subarray(whole);
      const chunks: Buffer[] = [];
      for (let at = 0; at < whole; at += maxChunkBytes)
        chunks.push(bytes.subarray(at, Math.min(at + maxChunkBytes, whole)));
      return chunks;
    },
    rest: () => rest,
  };
}
