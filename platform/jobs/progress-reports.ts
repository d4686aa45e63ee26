import type { Database } from '../database/database';
import type { Logger } from '../logger';
import type { Job } from './job';
import { speedOf } from './job-forecast';
import type { JobStore } from './job-store';

const EVERY_MS = 250;

/**
 * Writes progress one at a time and at most every 250 ms, a new stage at once: always the newest value, so a slow database
 * never queues up old news, and work that comes to a halt still shows how far it got.
 */
export class ProgressReports {
  /** `at` is by this process's clock that never goes back. */
  private last = { fraction: 0, stage: '', at: 0 };
  private next: { fraction: number; stage: string } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  /** Where this attempt began: behind the checkpoint of an earlier one it is not at 0. */
  private first: { fraction: number; at: number } | undefined;
  private usual: Promise<number | null> | undefined;

  constructor(
    private readonly job: Job,
    private readonly database: Pick<Database['prisma'], '$queryRaw'>,
    private readonly store: JobStore,
    private readonly logger: Logger,
  ) {}

  report(fraction: number, stage: string): void {
    this.first ??= { fraction: Math.max(0, fraction), at: performance.now() };
    const bounded = Math.min(0.999, Math.max(this.next?.fraction ?? this.last.fraction, fraction));
    const isNewStage = stage !== this.last.stage;
    if (!isNewStage && bounded - this.last.fraction < 0.01) return;
    this.next = { fraction: bounded, stage };
    if (isNewStage) this.wake(0);
    else if (!this.timer) this.wake(this.last.at + EVERY_MS - performance.now());
  }

  /** Drops what was not written yet; the job is ending and says more. */
  async settle(): Promise<void> {
    clearTimeout(this.timer);
    this.next = undefined;
    await this.writing;
  }

  private wake(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.writing ??= this.write().finally(() => (this.writing = undefined));
    }, delayMs);
  }

  private async write(): Promise<void> {
    while (this.next) {
      const { fraction, stage } = this.next;
      this.last = { fraction, stage, at: performance.now() };
      this.next = undefined;
      try {
        const update = { progress: fraction, stage, expectedInMs: await this.expectedInMs(fraction) };
        await this.store.progress(this.job.id, this.job.attempt, update);
      } catch (error) {
        this.logger.warn({ error }, 'progress could not be written');
      }
    }
  }

  /**
   * Assumes that the rest goes as fast as what this attempt has done; below 2 % that is too early to say, and earlier jobs
   * tell.
   */
  private async expectedInMs(fraction: number): Promise<number | null> {
    const { fraction: from, at } = this.first!; // there is no progress without a report
    const elapsedMs = performance.now() - at;
    const done = fraction - from;
    if (done >= 0.02) return (elapsedMs * (1 - fraction)) / done;
    const usualMs = await (this.usual ??= this.usualMs());
    return usualMs === null ? null : usualMs * (1 - from) - elapsedMs;
  }

  /** How long a job of this kind and size takes here. */
  private async usualMs(): Promise<number | null> {
    const { kind, size } = this.job;
    const speed = size === null ? null : await speedOf(this.database, kind);
    return speed === null ? null : Number(size) / speed;
  }
}
