import { Flag } from '../../../../platform/events/flag';
import { pause } from '../../../../platform/pause';
import type { Platform } from '../../../../platform/platform';
import type { LiveEngine } from '../../transcriber/live/live-decoder';
import type { LiveEngines } from '../../transcriber/live/live-engines';
import { EngineUnavailableError } from '../../transcriber/transcriber';
import type { RecognitionPlan } from '../../transcription/recognition-plan';
import type { LiveSessionRow } from '../live-session';
import { checkpointOf } from './checkpoint';
import { endSession, failSession, type Ending } from './ending';
import { failureOf } from './failures';
import { hearSession, type Heard } from './live-attempt';
import { RecognitionRecords } from './recognition-records';

/** An engine that fails so often with nothing final in between will not get any further. */
const MOST_FAILURES = 3;
const RETRY_MS = 200;

/** What one worker does with a session: from its claim to the session's end, a pause, or somebody else's claim. */
export class LiveRun {
  private readonly news = new Flag();
  private readonly records: RecognitionRecords;

  constructor(
    private readonly options: {
      platform: Platform;
      engines: LiveEngines;
      session: LiveSessionRow;
      signal: AbortSignal;
      retriesMs?: readonly number[] | undefined;
    },
  ) {
    this.records = new RecognitionRecords(options.platform.database, options.session);
  }

  /** There may be more audio. */
  wake(): void {
    this.news.raise();
  }

  /**
   * Hears the session until it has ended, or pauses and all of it is heard; then it is given back. Throws SessionLost, the
   * signal's reason, or what the database throws. What an engine throws is tried again, and in the end fails the session.
   */
  async run(): Promise<void> {
    const { session, signal } = this.options;
    const plan = await this.records.plan();
    for (let failures = 0, finals = -1; ;) {
      const checkpoint = checkpointOf(await this.records.checkpoint(), plan.engine);
      const ending = { ...this.options, records: this.records, total: checkpoint.total, engine: this.infoOf(plan) };
      if (checkpoint.total.segmentCount > finals) failures = 0;
      finals = checkpoint.total.segmentCount;
      try {
        const engine = this.engineOf(plan);
        const { records, news } = this;
        return await this.finish(
          await hearSession({ session, plan, engine, checkpoint, records, news, signal }),
          ending,
        );
      } catch (error) {
        signal.throwIfAborted();
        const failure = failureOf(error);
        if (!failure) throw error;
        const details = { error, sessionId: session.id, engine: plan.engine };
        this.options.platform.logger.warn(details, 'a live session could not be heard on');
        if (!failure.mayPass || ++failures >= MOST_FAILURES) return failSession(ending, failure);
        await pause(RETRY_MS * failures, signal);
      }
    }
  }

  /** Nothing that was tried could bring the session to its end: it fails, with what was heard. */
  async giveUp(): Promise<void> {
    const plan = await this.records.plan();
    const { total } = checkpointOf(await this.records.checkpoint(), plan.engine);
    const ending = { ...this.options, records: this.records, total, engine: this.infoOf(plan) };
    const message = 'Something went wrong on our side, again and again, before everything was heard.';
    await failSession(ending, { code: 'INTERNAL', message });
  }

  /** Gives the session back, so that another worker need not wait until this one is thought lost. */
  release(): Promise<void> {
    return this.records.release();
  }

  private async finish({ end, heardMs, total }: Heard, ending: Ending): Promise<void> {
    if (end === 'complete') await endSession({ ...ending, total }, heardMs);
    else await this.release();
  }

  private engineOf({ engine: id }: RecognitionPlan): LiveEngine {
    const engine = this.options.engines.engine(id);
    if (engine) return engine;
    throw new EngineUnavailableError(`The speech engine "${id}" does not recognize live sessions here.`);
  }

  private infoOf({ engine: id }: RecognitionPlan): Ending['engine'] {
    return this.options.engines.engine(id)?.info ?? { id };
  }
}
