import { must } from './peer';

/** The samples of a WAV file, which must be PCM, 16 kHz, mono, 16 bit, with true lengths or, `streamed`, those of a stream. */
export function readWav(wav: Buffer, { streamed }: { streamed: boolean }): Int16Array<ArrayBuffer> {
  must(wav.length >= 44, 'a WAV file has a header of 44 bytes');
  const text = (from: number) => wav.toString('latin1', from, from + 4);
  must(text(0) === 'RIFF' && text(8) === 'WAVE' && text(12) === 'fmt ' && text(36) === 'data', 'RIFF, WAVE, fmt, data');
  must(wav.readUInt32LE(16) === 16 && wav.readUInt16LE(20) === 1, 'PCM');
  must(wav.readUInt16LE(22) === 1 && wav.readUInt32LE(24) === 16_000, 'one channel of 16 kHz');
  must(wav.readUInt32LE(28) === 32_000 && wav.readUInt16LE(32) === 2 && wav.readUInt16LE(34) === 16, '16 bit');
  const lengths = streamed ? [0xffff_ffff, 0xffff_ffff] : [wav.length - 8, wav.length - 44];
  must(wav.readUInt32LE(4) === lengths[0] && wav.readUInt32LE(40) === lengths[1], 'the lengths of the file');
  must((wav.length - 44) % 2 === 0, 'whole samples');
  const data = wav.subarray(44);
  return new Int16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length) as ArrayBuffer);
}
