import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TranscriptEvent } from '../../events';
import type { SegmentRow } from '../../records';
import type { LiveCheckpoint } from './checkpoint';
import type { Writing } from './recognition-records';

/** A segment whose revision is counted by the writer. */
export type Caption = Omit<SegmentRow, 'revision'>;

type Change = { type: 'segment'; caption: Caption; isRemoved: boolean } | { type: 'boundary'; event: TranscriptEvent };

/**
 * Writes what is heard, and tells it, one statement after the other. While one is under way, what comes is gathered: of each
 * segment only the newest guess is kept, so a slow database thins the guesses out instead of falling behind.
 */
export class CaptionWriter {
  private changes: Change[] = [];
  private heardBytes = 0;
  private checkpoint: LiveCheckpoint | null = null;
  private isWaiting = false;
  private writing: Promise<void> | undefined;
  private failure: { error: unknown } | undefined;

  /** `revisions` are those of segments that another worker has begun, by id; `failed` is told what a write throws. */
  constructor(
    private readonly records: { write(writing: Writing): Promise<void> },
    private readonly revisions: Map<string, number>,
    private readonly failed: (error: unknown) => void,
  ) {}

  put(caption: Caption): void {
    this.replace(caption, false);
  }

  /** Tells that the segment has no text, and deletes it. One that nobody has seen needs no telling. */
  remove(caption: Caption): void {
    if (this.revisions.has(caption.id)) this.replace(caption, true);
    else this.drop(caption.id);
  }

  /** Where speech begins or ends. */
  tellBoundary(speaking: boolean, atMs: number): void {
    this.changes.push({ type: 'boundary', event: { type: 'speech.boundary', speaking, atMs } });
    this.start();
  }

  /** How far the session has been heard; with a checkpoint, from where another worker goes on. */
  reach(heardBytes: number, checkpoint: LiveCheckpoint | null = null): void {
    this.heardBytes = Math.max(this.heardBytes, heardBytes);
    this.checkpoint = checkpoint ?? this.checkpoint;
    this.isWaiting = true;
    this.start();
  }

  /** Resolves when everything is written; throws what a write has thrown. */
  async settled(): Promise<void> {
    await this.writing;
    if (this.failure) throw this.failure.error;
  }

  private replace(caption: Caption, isRemoved: boolean): void {
    this.drop(caption.id);
    this.changes.push({ type: 'segment', caption, isRemoved });
    this.start();
  }

  private drop(id: string): void {
    this.changes = this.changes.filter((change) => change.type !== 'segment' || change.caption.id !== id);
  }

  private start(): void {
    if (!this.writing && !this.failure) this.writing = this.writeAll();
  }

  /** What is told together is written together: a final with the checkpoint behind it. */
  private async writeAll(): Promise<void> {
    try {
      await nextTurn();
      while (this.changes.length > 0 || this.isWaiting) await this.records.write(this.take());
    } catch (error) {
      this.failure = { error };
      this.failed(error);
    } finally {
      this.writing = undefined; // at once: what comes from here on begins the next
    }
  }

  private take(): Writing {
    const { heardBytes, checkpoint } = this;
    const changes = this.changes.map((change) =>
      change.type === 'boundary' ? change : { ...change, segment: this.withRevision(change.caption) },
    );
    [this.changes, this.checkpoint, this.isWaiting] = [[], null, false];
    const segments = changes.flatMap((change) => (change.type === 'segment' ? [change] : []));
    return {
      heardBytes,
      checkpoint,
      segments: segments.filter(({ isRemoved }) => !isRemoved).map(({ segment }) => segment),
      removedIds: segments.filter(({ isRemoved }) => isRemoved).map(({ segment }) => segment.id),
      events: changes.map((change) =>
        change.type === 'boundary' ? change.event : { type: 'segment.changed', segment: change.segment },
      ),
    };
  }

  private withRevision(caption: Caption): SegmentRow {
    const revision = (this.revisions.get(caption.id) ?? 0) + 1;
    this.revisions.set(caption.id, revision);
    return { ...caption, revision };
  }
}
