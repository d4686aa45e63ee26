import { Flag } from '../../../../platform/events/flag';
import type { AudioStore, Chunk, ConnectedWriter, Stored } from './audio-store';
import { checkChunk } from './audio-format';
import { WriterReplaced } from './problems';

/** What may wait here to be stored, in bytes and in messages; then its connection is not read. */
const MAX_QUEUED_BYTES = 256 * 1024;
const MAX_QUEUED = 256;
/** How often a writer is noted as present. After 15 s it would count as gone. */
const SEEN_MS = 5_000;
/** How often it is asked whether audio was heard meanwhile; a notification is faster, and may be lost. */
const HEARD_POLL_MS = 500;

/** What a writer sends, in the order in which it counts. */
export type Item = ({ type: 'chunk' } & Chunk) | { type: 'flush' } | { type: 'end' } | { type: 'mark' };
/** What was done: `limit` stands for a session that has become as large as it may be and takes no more. */
export type Done = 'flush' | 'end' | 'mark' | 'limit';

interface Refusal {
  type: 'refusal';
  error: unknown;
}

/** A connection that audio comes from, and that is told what became of it. */
export interface Source {
  pause(): void;
  resume(): void;
  stored(stored: Stored): void;
  /** Everything before it has been stored. Behind `end` and `limit` nothing follows. */
  done(what: Done, stored: Stored): void;
  /** Nothing more is taken from this writer. Nothing follows. */
  failed(error: unknown): void;
}

/**
 * One writer's audio on its way into the store: what comes while a statement is under way goes into the next one together.
 * The connection is not read while more waits here, or waits to be heard, than may: so a sender that is faster than the
 * recognition is held back by TCP, and memory is bounded.
 */
export class Intake {
  private readonly queue: (Item | Refusal)[] = [];
  private queuedBytes = 0;
  private isPaused = false;
  private isRunning = false;
  private isOver = false;
  private readonly left = new AbortController();
  private readonly news = new Flag();
  private readonly seenTimer: NodeJS.Timeout;
  private wasHeardOf = true;
  private idle = (): void => {};
  private presence: Promise<void> | undefined;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly store: Pick<AudioStore, 'append' | 'flush' | 'end' | 'seen' | 'reached' | 'leave'>,
    readonly writer: ConnectedWriter,
    private reached: Stored,
    private readonly source: Source,
  ) {
    this.seenTimer = setInterval(() => this.tellPresence(), SEEN_MS);
    this.wake();
  }

  get last(): Stored {
    return this.reached;
  }

  take(item: Item): void {
    if (this.isOver || this.left.signal.aborted) return;
    this.queue.push(this.checked(item));
    if (this.queue.at(-1)!.type === 'chunk') this.queuedBytes += (item as Chunk).bytes.length;
    this.wake();
  }

  /** Something may have been heard. */
  notice(): void {
    this.news.raise();
  }

  /** A newer writer has connected. */
  replace(): void {
    this.fail(new WriterReplaced());
  }

  /**
   * The connection is gone, or shall go: what has arrived is stored, unless that had to wait; then the writer is forgotten.
   * Never rejects.
   */
  leave(): Promise<void> {
    return (this.leaving ??= this.finishAndLeave());
  }

  private async finishAndLeave(): Promise<void> {
    this.left.abort();
    if (this.isRunning) await new Promise<void>((resolve) => (this.idle = resolve));
    this.finish();
    await this.presence; // what is under way would note it as present again
    await this.store.leave(this.writer).catch(() => {}); // 15 s later it counts as gone all the same
  }

  /** A chunk that is not taken is refused when its turn comes: those before it are good. */
  private checked(item: Item): Item | Refusal {
    try {
      if (item.type === 'chunk') checkChunk(this.writer.format, item);
      return item;
    } catch (error) {
      return { type: 'refusal', error };
    }
  }

  private wake(): void {
    this.holdBack();
    if (!this.isRunning && !this.isOver && this.hasWork()) void this.run();
  }

  private hasWork(): boolean {
    return this.queue.length > 0 || this.mustWait();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    try {
      while (!this.isOver && this.hasWork()) {
        if (this.mustWait()) {
          if (this.left.signal.aborted) break;
          await this.waitUntilHeard();
        } else {
          await this.storeNext();
        }
        this.holdBack();
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.isRunning = false;
      this.idle();
    }
  }

  /** The end of a session need not wait until everything before it was heard. */
  private mustWait(): boolean {
    const next = this.queue[0]?.type ?? 'chunk';
    return next === 'chunk' && this.reached.unheardBytes > this.writer.format.maxUnheardBytes;
  }

  private async waitUntilHeard(): Promise<void> {
    await this.news.raised(this.left.signal, HEARD_POLL_MS);
    this.news.lower();
    if (!this.left.signal.aborted) this.reached = await this.store.reached(this.writer);
  }

  private async storeNext(): Promise<void> {
    const first = this.queue[0]!;
    if (first.type === 'chunk') return this.storeChunks();
    this.queue.shift();
    if (first.type === 'refusal') throw first.error;
    if (first.type !== 'mark') this.reached = await this.store[first.type](this.writer);
    if (this.isOver) return;
    if (first.type === 'end') this.finish();
    this.source.done(first.type, this.reached);
  }

  private async storeChunks(): Promise<void> {
    const chunks = this.takeRun();
    this.reached = await this.store.append(this.writer, chunks);
    this.wasHeardOf = true;
    if (this.isOver) return;
    this.source.stored(this.reached);
    if (this.reached.state !== 'ENDING') return;
    this.finish();
    this.source.done('limit', this.reached);
  }

  /** All chunks that stand in front and follow each other; a gap is refused by the store when it comes to its turn. */
  private takeRun(): Chunk[] {
    const run: Chunk[] = [];
    for (let next = this.queue[0]; next?.type === 'chunk'; next = this.queue[0]) {
      if (run.length > 0 && next.sequence !== run.at(-1)!.sequence + 1) break;
      run.push(next);
      this.queue.shift();
      this.queuedBytes -= next.bytes.length;
    }
    return run;
  }

  private holdBack(): void {
    const isFull = this.queue.length >= MAX_QUEUED || this.queuedBytes >= MAX_QUEUED_BYTES || this.mustWait();
    if (isFull === this.isPaused || this.isOver) return;
    this.isPaused = isFull;
    if (isFull) this.source.pause();
    else this.source.resume();
  }

  private tellPresence(): void {
    const wasHeardOf = this.wasHeardOf;
    this.wasHeardOf = false;
    if (wasHeardOf || this.left.signal.aborted) return;
    this.presence = this.store.seen(this.writer).then(
      () => {},
      (error: unknown) => this.fail(error),
    );
  }

  private fail(error: unknown): void {
    if (this.isOver) return;
    this.finish();
    this.source.failed(error);
  }

  private finish(): void {
    this.isOver = true;
    this.queue.length = 0;
    clearInterval(this.seenTimer);
  }
}
