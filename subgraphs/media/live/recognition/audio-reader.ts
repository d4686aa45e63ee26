import { PCM_SAMPLE_RATE_HZ } from '../../transcriber/transcriber';
import type { LiveSessionRow } from '../live-session';
import { firstSample, type LiveCheckpoint } from './checkpoint';
import { decodeRows } from './decode-rows';
import type { AudioRow, RecognitionRecords } from './recognition-records';
import type { RowReader, RowsEnd } from './row-reader';

/** Sound to be heard, or the wish that what was said is final now. Behind it the rows up to `row` are done with. */
export type AudioItem =
  { type: 'pcm'; samples: Int16Array; row: number; heardBytes: number } | { type: 'flush'; row: number };

const BYTES_PER_SAMPLE = 2;
/** ffmpeg begins this much before the checkpoint: its resampler hears a little before and behind each sample. */
const RUN_UP_SECONDS = 2;

/**
 * The sound of a session from its checkpoint on, as 16 kHz PCM, while it is being sent. Sample n is always the same one,
 * whoever reads it and from where. Throws MediaProblem for what is no sound, EngineUnavailableError without ffmpeg.
 */
export function readSound(options: {
  session: Pick<LiveSessionRow, 'encoding' | 'sampleRate'>;
  checkpoint: LiveCheckpoint;
  records: Pick<RecognitionRecords, 'rowOfByte'>;
  reader: RowReader;
  signal: AbortSignal;
}): AsyncGenerator<AudioItem, RowsEnd, undefined> {
  const { encoding, sampleRate } = options.session;
  if (encoding === 'CONTAINER') return decodeContainer(options);
  return sampleRate === PCM_SAMPLE_RATE_HZ ? readPcm(options) : resamplePcm(options);
}

type ReadOptions = Parameters<typeof readSound>[0];

async function* readPcm({ checkpoint, ...options }: ReadOptions): AsyncGenerator<AudioItem, RowsEnd, undefined> {
  const rows = rowsFrom(firstSample(checkpoint) * BYTES_PER_SAMPLE, { ...options, checkpoint });
  for (;;) {
    const { value, done } = await rows.next();
    if (done) return value;
    const { row, bytes, flush, fromByte } = value;
    const heardBytes = fromByte + bytes.length;
    if (bytes.length > 0) yield { type: 'pcm', samples: asSamples(bytes), row, heardBytes };
    if (flush && row > checkpoint.row) yield { type: 'flush', row };
  }
}

/** A whole second is a whole number of samples at every rate: the resampled sound is the same to the bit. */
async function* resamplePcm(options: ReadOptions): AsyncGenerator<AudioItem, RowsEnd, undefined> {
  const { session, checkpoint, reader, signal } = options;
  const first = firstSample(checkpoint);
  const fromSecond = Math.max(0, Math.floor(first / PCM_SAMPLE_RATE_HZ) - RUN_UP_SECONDS);
  const format = ['-f', 's16le', '-ar', String(session.sampleRate), '-ac', '1'];
  const bytesPerSecond = session.sampleRate * BYTES_PER_SAMPLE;
  const rows = rowsFrom(fromSecond * bytesPerSecond, options);
  const skip = first - fromSecond * PCM_SAMPLE_RATE_HZ;
  return yield* decodeRows(rows, { format, skip, flushedRow: checkpoint.row, signal, stop: () => reader.stop() });
}

/** A container can only be read from its beginning. */
async function* decodeContainer(options: ReadOptions): AsyncGenerator<AudioItem, RowsEnd, undefined> {
  const { checkpoint, reader, signal } = options;
  const skip = firstSample(checkpoint);
  return yield* decodeRows(reader.rows(0), { skip, flushedRow: checkpoint.row, signal, stop: () => reader.stop() });
}

/** Rows from the one in which a byte lies; what lies before it is cut off. */
async function* rowsFrom(
  byte: number,
  { records, reader, checkpoint }: Pick<ReadOptions, 'records' | 'reader' | 'checkpoint'>,
): AsyncGenerator<AudioRow, RowsEnd, undefined> {
  const begin = byte === 0 ? 1 : Math.min(await records.rowOfByte(byte), checkpoint.row + 1);
  const rows = reader.rows(begin - 1);
  for (;;) {
    const { value, done } = await rows.next();
    if (done) return value;
    const before = Math.max(0, byte - value.fromByte);
    yield { ...value, fromByte: value.fromByte + before, bytes: value.bytes.subarray(before) };
  }
}

/** Memory of its own: the bytes of a row may lie at an odd place. */
function asSamples(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length >> 1);
  Buffer.from(samples.buffer).set(bytes.subarray(0, samples.length * BYTES_PER_SAMPLE));
  return samples;
}
