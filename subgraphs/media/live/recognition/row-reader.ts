import type { Flag } from '../../../../platform/events/flag';
import type { AudioPage, AudioRow } from './recognition-records';

/** Why no row comes any more. */
export type RowsEnd = 'complete' | 'paused';

/** Reads the rows of one session in order, and waits for more of them. */
export class RowReader {
  /** Bytes that were stored when rows were read last. */
  storedBytes = 0;
  private isStopped = false;

  constructor(
    private readonly records: { readAudio(afterRow: number): Promise<AudioPage> },
    /** Raised when there may be more. */
    private readonly news: Flag,
    private readonly signal: AbortSignal,
  ) {}

  /** The rows behind `afterRow`, until the session is complete or, with all of them read, PAUSED. */
  async *rows(afterRow: number): AsyncGenerator<AudioRow, RowsEnd, undefined> {
    for (let last = afterRow; ;) {
      if (this.isStopped) return 'paused';
      this.signal.throwIfAborted();
      this.news.lower();
      const { rows, isLast, state, isComplete, storedBytes } = await this.records.readAudio(last);
      this.storedBytes = storedBytes;
      for (const row of rows) {
        this.signal.throwIfAborted();
        yield row;
        last = row.row;
      }
      if (!isLast) continue;
      if (isComplete) return 'complete';
      if (state === 'PAUSED' && rows.length === 0) return 'paused';
      if (state === 'PAUSED') continue; // it may have been resumed while these rows were heard
      await this.news.raised(this.signal);
    }
  }

  /** Nobody wants more rows: a read that waits for them ends. */
  stop(): void {
    this.isStopped = true;
    this.news.raise();
  }
}
