import { UserProblemError } from '../../../../platform/errors';
import type { MediaProblemCode } from '../../errors';
import type { LiveSessionRow } from '../live-session';

/** Longest chunk of PCM; milliseconds. Longer ones would come later than captions should. */
export const MAX_CHUNK_MS = 1_000;
/** Largest chunk of a container: a second of the best sound that recorders make, eight times over. */
const MAX_CONTAINER_CHUNK_BYTES = 256 * 1024;
/** How much audio may wait to be heard: whoever sends faster is held back. */
const MAX_UNHEARD_S = 30;
const MAX_UNHEARD_CONTAINER_BYTES = 1024 * 1024;
/** No session is larger: what is left of it has to be one file. */
const MAX_SESSION_BYTES = 2 * 1024 ** 3;
const DEFAULT_MAX_DURATION_MS = 4 * 3_600_000;

/** What one session takes. All but the sample width is in bytes. */
export interface AudioFormat {
  /** Chunks have a multiple of this. */
  sampleBytes: number;
  /** A second; null where nobody knows before it is decoded. */
  bytesPerSecond: number | null;
  maxChunkBytes: number;
  maxUnheardBytes: number;
  maxSessionBytes: number;
}

export function formatOf(
  { encoding, sampleRate }: Pick<LiveSessionRow, 'encoding' | 'sampleRate'>,
  maxDurationMs: number = DEFAULT_MAX_DURATION_MS,
): AudioFormat {
  if (encoding === 'CONTAINER') {
    return {
      sampleBytes: 1,
      bytesPerSecond: null,
      maxChunkBytes: MAX_CONTAINER_CHUNK_BYTES,
      maxUnheardBytes: MAX_UNHEARD_CONTAINER_BYTES,
      maxSessionBytes: MAX_SESSION_BYTES,
    };
  }
  const bytesPerSecond = sampleRate * 2;
  return {
    sampleBytes: 2,
    bytesPerSecond,
    maxChunkBytes: (bytesPerSecond * MAX_CHUNK_MS) / 1_000,
    maxUnheardBytes: bytesPerSecond * MAX_UNHEARD_S,
    maxSessionBytes: Math.min(Math.floor((bytesPerSecond * maxDurationMs) / 1_000), MAX_SESSION_BYTES),
  };
}

/** Throws INVALID_INPUT for a chunk that the session does not take. */
export function checkChunk(format: AudioFormat, { sequence, bytes }: { sequence: number; bytes: Uint8Array }): void {
  const { sampleBytes, maxChunkBytes } = format;
  if (bytes.length === 0) refuse(`Chunk ${sequence} is empty.`);
  if (bytes.length > maxChunkBytes)
    refuse(`A chunk has at most ${maxChunkBytes} bytes here; chunk ${sequence} has ${bytes.length}.`);
  if (bytes.length % sampleBytes !== 0)
    refuse(`A chunk holds whole samples of ${sampleBytes} bytes; chunk ${sequence} has ${bytes.length} bytes.`);
}

function refuse(message: string): never {
  throw new UserProblemError<MediaProblemCode>({ code: 'INVALID_INPUT', message });
}
