import { PCM_SAMPLE_RATE_HZ } from './transcriber';

/** A length that is not known yet: what ffmpeg writes into a pipe, and what readers take for "until the end". */
const UNKNOWN_LENGTH = 0xffff_ffff;
/** How long {@link wavHeader} is. */
export const WAV_HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;

/** Header of a WAV file (RIFF, PCM, mono, 16 bit); `dataBytes` null for a stream whose length is not known. */
export function wavHeader(dataBytes: number | null, sampleRateHz = PCM_SAMPLE_RATE_HZ): Buffer<ArrayBuffer> {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes === null ? UNKNOWN_LENGTH : WAV_HEADER_BYTES - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * BYTES_PER_SAMPLE, 28);
  header.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  header.writeUInt16LE(BYTES_PER_SAMPLE * 8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes ?? UNKNOWN_LENGTH, 40);
  return header;
}

/** The same memory as bytes; every machine that Node.js 20 is built for but s390x is little-endian, as WAV is. */
export function pcmBytes(samples: Int16Array): Buffer<ArrayBuffer> {
  return Buffer.from(samples.buffer as ArrayBuffer, samples.byteOffset, samples.byteLength);
}
