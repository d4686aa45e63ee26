import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isDatabaseUnavailable } from '../../../../platform/errors';
import { Flag } from '../../../../platform/events/flag';
import { pause } from '../../../../platform/pause';
import type { Platform } from '../../../../platform/platform';
import type { LiveEngines } from '../../transcriber/live/live-engines';
import type { LiveSettings } from '../live-settings';
import type { LiveSessionRow } from '../live-session';
import { HostRecords } from './host-records';
import { LiveRun } from './live-run';
import { SessionLost } from './recognition-records';
import { SessionSweep } from './session-sweep';

/** A worker's part in live sessions; disposing it gives its sessions back at once. */
export type LiveHost = AsyncDisposable;

/** How often a worker is seen, and looks for sessions: well within the time after which it is thought lost. */
const BEAT_MS = 500;
const LOOK_MS = 100;
const SWEEP_MS = 1_000;
const LEFTOVERS_MS = 60_000;
/** A session whose run broke, because the database was away or by a fault of ours, is tried again after this time. */
const BROKEN_MS = 2_000;
/** So often, while the database is there; then a fault of ours would keep its place from everybody else for ever. */
const MOST_BROKEN = 30;

export interface LiveHostOptions {
  platform: Platform;
  /** Stay the caller's to dispose, behind the host. */
  engines: LiveEngines;
  settings: LiveSettings;
  /** When storing a recording is tried again, in milliseconds between two tries; default: for five minutes. */
  retriesMs?: readonly number[];
  /** Milliseconds until a session whose run broke is tried again; default 2,000. */
  brokenMs?: number;
}

/** Takes live sessions as long as there are places, hears them, and does what time does to all sessions. */
export function startLiveHost(options: LiveHostOptions): LiveHost {
  return new Host(options);
}

class Host implements LiveHost {
  private readonly records: HostRecords;
  private readonly runs = new Map<string, { run: LiveRun; ended: Promise<void> }>();
  /** How often the run of a session broke here. */
  private readonly broken = new Map<string, number>();
  private readonly stop = new AbortController();
  /** Raised when a session may want a worker. */
  private readonly news = new Flag();
  private readonly unlisten: () => void;
  private readonly loops: Promise<void>[];

  constructor(private readonly options: LiveHostOptions) {
    const { platform, settings } = options;
    this.records = new HostRecords(platform.database, newWorkerId());
    const sweep = new SessionSweep(platform, settings);
    this.unlisten = platform.notifications.on('sauti_live', (sessionId) => this.notice(sessionId));
    this.loops = [
      this.repeat(
        () => this.look(),
        () => this.untilNews(),
      ),
      this.repeat(
        () => this.wakeAll(),
        () => this.pause(BEAT_MS),
      ),
      this.repeat(
        () => sweep.run(),
        () => this.pause(SWEEP_MS),
      ),
      this.repeat(
        () => sweep.removeLeftovers(),
        () => this.pause(LEFTOVERS_MS),
      ),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unlisten();
    this.stop.abort(new Error('The worker stops.'));
    await Promise.all(this.loops);
    await Promise.all([...this.runs.values()].map(({ ended }) => ended));
    await this.records.leave();
  }

  private async repeat(work: () => Promise<void> | void, wait: () => Promise<unknown>): Promise<void> {
    while (!this.stop.signal.aborted) {
      try {
        await work();
      } catch (error) {
        this.options.platform.logger.warn({ error }, 'live sessions cannot be looked after; trying again');
      }
      await wait();
    }
  }

  /** Every chunk of anybody's session is news to a worker that does not hear it, so a little time is left between two looks. */
  private async untilNews(): Promise<void> {
    await this.pause(LOOK_MS);
    await this.news.raised(this.stop.signal, BEAT_MS - LOOK_MS);
  }

  private pause(ms: number): Promise<void> {
    return pause(ms, this.stop.signal);
  }

  private notice(sessionId: string | undefined): void {
    const known = sessionId === undefined ? undefined : this.runs.get(sessionId);
    if (known) return known.run.wake();
    if (sessionId === undefined) this.wakeAll();
    this.news.raise();
  }

  /** A notification may be lost. */
  private wakeAll(): void {
    this.runs.forEach(({ run }) => run.wake());
  }

  private async look(): Promise<void> {
    const { places } = this.options.settings;
    this.news.lower();
    await this.records.beat(places);
    const free = places - this.runs.size;
    const held = [...this.runs.keys()];
    if (free > 0) for (const session of await this.records.claim(free, held)) this.start(session);
  }

  private start(session: LiveSessionRow): void {
    const run = new LiveRun({ ...this.options, session, signal: this.stop.signal });
    const begun = { run, ended: this.follow(run, session) };
    this.runs.set(session.id, begun);
    void begun.ended.then(() => {
      if (this.runs.get(session.id) === begun) this.runs.delete(session.id);
      this.news.raise(); // its place is free, or there is audio again since it was given back
    });
  }

  private async follow(run: LiveRun, { id: sessionId }: LiveSessionRow): Promise<void> {
    const { logger } = this.options.platform;
    try {
      await run.run();
      this.broken.delete(sessionId);
    } catch (error) {
      if (error instanceof SessionLost) {
        this.broken.delete(sessionId);
        return logger.info({ sessionId }, 'a live session has another worker');
      }
      if (!this.stop.signal.aborted) await this.afterBreak(run, sessionId, error);
      // A database that is away cannot be told; a session without a run is claimed anew.
      await run.release().catch((failure: unknown) => logger.warn({ error: failure, sessionId }, 'not released'));
    }
  }

  private async afterBreak(run: LiveRun, sessionId: string, error: unknown): Promise<void> {
    const { logger } = this.options.platform;
    logger.error({ error, sessionId }, 'the run of a live session broke');
    await this.pause(this.options.brokenMs ?? BROKEN_MS);
    if (isDatabaseUnavailable(error)) return;
    const times = (this.broken.get(sessionId) ?? 0) + 1;
    this.broken.set(sessionId, times);
    if (times < MOST_BROKEN || this.stop.signal.aborted) return;
    this.broken.delete(sessionId);
    await run.giveUp().catch((failure: unknown) => logger.error({ error: failure, sessionId }, 'not given up'));
  }
}

/** Says which process it is, as `host:pid:`; what follows is another for each start, because containers share both. */
function newWorkerId(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
}
