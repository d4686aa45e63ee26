import { setImmediate as nextTurn } from 'node:timers/promises';
import { Flag } from '../../../../platform/events/flag';
import { FFMPEG_IN_PATH, guardedPipe } from '../../decoder/ffmpeg';
import { DecoderFailedError, MediaProblem } from '../../decoder/media-problem';
import { spawnGuarded, type GuardedProgram } from '../../decoder/spawn-guarded';
import { PCM_SAMPLE_RATE_HZ } from '../../transcriber/transcriber';
import type { AudioItem } from './audio-reader';
import type { AudioRow } from './recognition-records';
import type { RowsEnd } from './row-reader';

export interface DecodeRowsOptions {
  /** How ffmpeg reads what has no header. */
  format?: readonly string[];
  /** Samples at the beginning that are not wanted. */
  skip: number;
  /** Flushes up to this row were done before. */
  flushedRow: number;
  /** Lets a row that is waited for wait no longer. */
  stop: () => void;
  signal: AbortSignal;
}

type Rows = AsyncGenerator<AudioRow, RowsEnd, undefined>;

/** ffmpeg has told all it can of what it was given when it has been quiet for so long. */
const QUIET_MS = 300;

/**
 * Decodes rows while they come, with one ffmpeg that is given them through a pipe and gives 16 kHz PCM through another. A
 * flush waits until everything before it has come out. Rows are taken only as fast as the sound is. Throws MediaProblem,
 * DecoderFailedError (ffmpeg was killed), EngineUnavailableError (there is none), what `rows` throws, or the signal's reason.
 */
export async function* decodeRows(
  rows: Rows,
  options: DecodeRowsOptions,
): AsyncGenerator<AudioItem, RowsEnd, undefined> {
  const { signal, format } = options;
  await using program = spawnGuarded(FFMPEG_IN_PATH.ffmpeg, parametersOf(format), {
    signal,
    withInput: true,
    isLive: true,
  });
  const decoding = new RowsDecoding(program, rows, options);
  return yield* decoding.sound();
}

function parametersOf(format: readonly string[] | undefined): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-v', 'error', '-threads', '1', ...guardedPipe(format)],
    ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-ac', '1', '-ar', String(PCM_SAMPLE_RATE_HZ)],
    ...['-f', 's16le', '-flush_packets', '1', 'pipe:1'],
  ];
}

class RowsDecoding {
  /** Rows that ffmpeg has been given, and up to which byte. */
  private row = 0;
  private bytes = 0;
  private flushing: { row: number; done: () => void } | null = null;
  private end: RowsEnd | null = null;
  private failure: { error: unknown } | null = null;
  private isDrained = false;
  private isOver = false;
  private readonly news = new Flag();
  private rest: Buffer = Buffer.alloc(0);
  private decoded = 0;

  constructor(
    private readonly program: GuardedProgram,
    private readonly rows: Rows,
    private readonly options: DecodeRowsOptions,
  ) {
    program.stdin!.on('error', () => undefined); // ffmpeg has ended, and its end tells why
    program.stdout.on('readable', () => this.news.raise());
    program.stdout.once('close', () => {
      this.isDrained = true;
      this.news.raise();
    });
  }

  async *sound(): AsyncGenerator<AudioItem, RowsEnd, undefined> {
    const feeding = this.feed().catch((error: unknown) => this.fail(error));
    try {
      for (;;) {
        this.options.signal.throwIfAborted(); // nothing is waited for any more, so this loop would let nobody else run
        this.news.lower();
        const item = this.next();
        if (item) yield item;
        else if (this.failure) throw this.failure.error;
        else if (this.end === 'paused') return 'paused';
        else if (this.isDrained) return await this.drained();
        else if (await this.isQuiet()) yield* this.flushed();
      }
    } finally {
      this.isOver = true;
      this.flushing?.done();
      this.program.kill();
      this.options.stop();
      await feeding;
    }
  }

  private async feed(): Promise<void> {
    for (;;) {
      const { value, done } = await this.rows.next();
      if (done) return this.finish(value);
      if (value.bytes.length > 0) await this.write(value.bytes);
      this.bytes = value.fromByte + value.bytes.length;
      if (this.isOver) return void (await this.rows.return('paused'));
      if (value.flush && value.row > this.options.flushedRow) await this.untilFlushed(value.row);
      this.row = value.row;
    }
  }

  /** Resolves when ffmpeg has taken them, or has ended. */
  private write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.program.stdin!.write(bytes, () => resolve()));
  }

  private untilFlushed(row: number): Promise<void> {
    return new Promise((done) => {
      this.flushing = { row, done };
      this.news.raise();
    });
  }

  private finish(end: RowsEnd): void {
    this.end = end;
    if (end === 'complete') this.program.stdin!.end();
    this.news.raise();
  }

  private fail(error: unknown): void {
    this.failure = { error };
    this.news.raise();
  }

  private next(): AudioItem | null {
    const bytes = this.program.stdout.read() as Buffer | null;
    if (!bytes) return null;
    const all = this.rest.length > 0 ? Buffer.concat([this.rest, bytes]) : bytes;
    const samples = new Int16Array(all.length >> 1);
    Buffer.from(samples.buffer).set(all.subarray(0, samples.length * 2));
    this.rest = all.subarray(samples.length * 2);
    const before = Math.max(0, this.options.skip - this.decoded);
    this.decoded += samples.length;
    return { type: 'pcm', samples: samples.subarray(before), row: this.row, heardBytes: this.bytes };
  }

  /** Whether a flush waits and nothing more comes. A process that was busy looks once more before it believes so. */
  private async isQuiet(): Promise<boolean> {
    if (await this.news.raised(this.options.signal, this.flushing && QUIET_MS)) return false;
    await nextTurn();
    return this.program.stdout.readableLength === 0 && this.flushing !== null;
  }

  private *flushed(): Generator<AudioItem, void, undefined> {
    const { row, done } = this.flushing!;
    this.flushing = null;
    done(); // what comes of the rows behind it comes later anyway
    yield { type: 'flush', row };
  }

  private async drained(): Promise<RowsEnd> {
    const { exitCode, stderr } = await this.program.ended;
    this.options.signal.throwIfAborted();
    if (exitCode === null) throw new DecoderFailedError('ffmpeg was stopped from outside before it had finished.');
    // Nothing at all was sent: nothing was said.
    if (this.end === 'complete' && (this.decoded > 0 || this.bytes === 0)) return 'complete';
    const cause = new Error(`ffmpeg exited with ${exitCode}: ${stderr.trim() || 'no message'}`);
    throw new MediaProblem('NOT_MEDIA', 'What was sent cannot be decoded: it is damaged, or no sound.', { cause });
  }
}
