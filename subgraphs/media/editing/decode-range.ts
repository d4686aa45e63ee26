import { execFile } from 'node:child_process';
import { programEnvironment } from '../../../platform/environment';
import { FFMPEG_IN_PATH, guardedInput } from '../decoder/ffmpeg';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber/transcriber';
import type { Span } from './align-words';

/**
 * Decodes a part of the first sound track of a file on local disk to 16 kHz PCM: of one channel, or of all mixed. What
 * lies behind the end of the track is missing. Rejects when ffmpeg cannot, or the signal aborts, which kills it.
 */
export function decodeRange(
  filePath: string,
  { startMs, endMs }: Span,
  { channel, signal }: { channel: number | null; signal: AbortSignal },
): Promise<Int16Array> {
  const samples = Math.ceil(((endMs - startMs) * PCM_SAMPLE_RATE_HZ) / 1_000);
  const parameters = [
    ...['-hide_banner', '-nostdin', '-v', 'error', '-threads', '1', '-ss', String(startMs / 1_000)],
    ...guardedInput(filePath),
    ...['-t', String((endMs - startMs) / 1_000), '-map', '0:a:0', '-vn', '-sn', '-dn'],
    ...['-af', filtersOf(channel), '-ac', '1', '-f', 's16le', 'pipe:1'],
  ];
  const limits = { env: programEnvironment(), signal, killSignal: 'SIGKILL', maxBuffer: samples * 2 + 65_536 } as const;
  return new Promise((resolve, reject) => {
    execFile(FFMPEG_IN_PATH.ffmpeg, parameters, { ...limits, encoding: 'buffer' }, (error, stdout) => {
      if (error) reject(error);
      else resolve(toSamples(stdout).subarray(0, samples));
    });
  });
}

function filtersOf(channel: number | null): string {
  const resampled = `aresample=${PCM_SAMPLE_RATE_HZ}:async=1:first_pts=0`;
  return channel === null ? resampled : `pan=mono|c0=c${channel},${resampled}`;
}

function toSamples(bytes: Buffer): Int16Array {
  const samples = new Int16Array(Math.floor(bytes.length / 2));
  Buffer.from(samples.buffer).set(bytes.subarray(0, samples.length * 2));
  return samples;
}
