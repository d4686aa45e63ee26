import { isUniqueViolation, openDatabase, type Database } from '../../platform/database/database';
import { Notifications } from '../../platform/database/notifications';
import { EventLog } from '../../platform/events/event-log';
import { newId } from '../../platform/ids';
import { createJob } from '../../platform/jobs/job';
import { silentLogger } from '../../platform/logger';
import { createStepsTables, stepsJob } from '../../platform/testing/steps-job';
import { waitFor } from '../../platform/testing/wait';
import { READY_LIMIT_MS } from './target';

/** Steps of one job: enough to be in the middle of one when the worker is killed. */
const STEPS = stepNames(20);
/** A worker that dies that often in one job would end the job; here it may die more often. */
const MAX_ATTEMPTS = 100;

export function stepNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `step ${index}`);
}

/** Queues jobs of `platform/testing/steps-job.ts`, whose every change is an event in their owner's topic. */
export class JobWriter implements AsyncDisposable {
  private readonly database: Database;
  private readonly events: EventLog;

  constructor(
    url: string,
    private readonly steps: readonly string[] = STEPS,
  ) {
    this.database = openDatabase({ url, poolSize: 2, applicationName: 'sauti:chaos-jobs' });
    this.events = new EventLog(this.database, new Notifications(url, silentLogger), silentLogger);
  }

  /** Makes the tables that the worker's jobs write to; before the first job. */
  prepare(): Promise<void> {
    return createStepsTables({ database: this.database });
  }

  /** Queues one, once: what fails because the database went away is tried again under the same id, which it answers. */
  async add(ownerId: string, subjectId: string): Promise<string> {
    const job = { id: newId('job'), ownerId, subjectId, payload: { steps: [...this.steps] } };
    const definition = { ...stepsJob, maxAttempts: MAX_ATTEMPTS };
    const look = async (): Promise<boolean> => {
      try {
        await this.database.prisma.$transaction((tx) => createJob(tx, this.events, definition, job));
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
      }
      return true;
    };
    await waitFor('a job to be queued', look, READY_LIMIT_MS);
    return job.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.events.close();
    await this.database[Symbol.asyncDispose]();
  }
}
