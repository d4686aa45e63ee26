import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from '../logger';
import { repositoryRoot } from '../root';
import type { JobState } from './job';

const RESTART_MS = 500;

/** An attempt of a job that runs in this process. */
export interface RunningAttempt {
  id: string;
  attempt: number;
}

/** What a heartbeat has found out; `state` is null when the attempt no longer owns the job. */
export type Beat = RunningAttempt & { state: Extract<JobState, 'RUNNING' | 'CANCELING'> | null };

export interface HeartbeatTimes {
  /** How often leases are renewed; default 1.5 s. */
  everyMs: number;
  /** How long the main thread may go without turning before its jobs are given up; default 60 s. */
  stallMs: number;
}

const DEFAULT_TIMES: HeartbeatTimes = { everyMs: 1_500, stallMs: 60_000 };

/**
 * Keeps the leases of the jobs that run in this process, from a thread with a connection of its own, so that work which
 * blocks the main thread for a while loses no job. A process that is frozen, or whose main thread has not turned for
 * `stallMs`, keeps none. A database that is away is asked again; a thread that breaks is replaced.
 */
export class Heartbeats implements AsyncDisposable {
  private readonly running = new Set<RunningAttempt>();
  private readonly turns = new SharedArrayBuffer(4);
  private readonly turning: NodeJS.Timeout;
  private readonly times: HeartbeatTimes;
  private thread: Worker;
  private restart: NodeJS.Timeout | undefined;
  private closed = false;

  /** `hear` is called with every answer about every attempt that was added and not removed. */
  constructor(
    private readonly options: { url: string; logger: Logger; hear: (beat: Beat) => void; times?: HeartbeatTimes },
  ) {
    this.times = options.times ?? DEFAULT_TIMES;
    const turned = new Int32Array(this.turns);
    this.turning = setInterval(() => void Atomics.add(turned, 0, 1), Math.min(1_000, this.times.stallMs / 4));
    this.thread = this.start();
  }

  /** From now on the lease of this attempt is renewed, until {@link remove}. */
  add(attempt: RunningAttempt): void {
    this.running.add(attempt);
    this.tell('add', attempt);
  }

  remove(attempt: RunningAttempt): void {
    this.running.delete(attempt);
    this.tell('remove', attempt);
  }

  /** Renews all leases now, besides the usual rhythm. */
  beat(): void {
    this.thread.postMessage({ type: 'beat' });
  }

  /** Ends the thread; leases are renewed no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.turning);
    clearTimeout(this.restart);
    const gone = new Promise((resolve) => this.thread.once('exit', resolve));
    this.thread.postMessage({ type: 'close' });
    if (this.thread.threadId !== -1) await gone;
  }

  private start(): Worker {
    // Read from the repository in every mode: the build does not copy JavaScript.
    const file = path.join(repositoryRoot(), 'platform/jobs/heartbeat.worker.cjs');
    const { everyMs, stallMs } = this.times;
    const workerData = { url: this.options.url, everyMs, stallMs, turns: this.turns };
    const thread = new Worker(file, { workerData, name: 'heartbeat' });
    thread.on('message', (message: { type: 'beats'; beats: Beat[] } | { type: 'failed'; message: string }) => {
      if (message.type === 'beats') message.beats.forEach((beat) => this.hear(beat));
      else this.options.logger.warn({ reason: message.message }, 'heartbeats failed; trying again');
    });
    thread.on('error', (error) => this.options.logger.error({ error }, 'the heartbeat thread broke'));
    thread.once('exit', () => {
      if (!this.closed) this.restart = setTimeout(() => this.replace(), RESTART_MS);
    });
    return thread;
  }

  private replace(): void {
    this.thread = this.start();
    for (const attempt of this.running) this.tell('add', attempt);
  }

  private tell(type: 'add' | 'remove', { id, attempt }: RunningAttempt): void {
    this.thread.postMessage({ type, id, attempt });
  }

  /** An answer may be older than what has happened to the attempt here. */
  private hear(beat: Beat): void {
    const isRunning = [...this.running].some(({ id, attempt }) => id === beat.id && attempt === beat.attempt);
    if (isRunning) this.options.hear(beat);
  }
}
