import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createJob, type Job, type JobDefinition, type NewJob } from '../jobs/job';
import { JobProblem, type JobHandler } from '../jobs/job-handler';
import type { PlatformTransaction } from '../database/database';
import type { Platform } from '../platform';
import { pause } from '../pause';

/** A job for tests of the job system: each step is noted in a transaction of its own, except those that do something else. */
export interface StepsPayload {
  /**
   * `gate` waits until the test opens it or the job is stopped, `throw` fails for a reason of ours, `refuse` fails for
   * good, `die` kills the process, `die once` does so in the first attempt only, `die at end` likewise with the result
   * written and not committed, `freeze` stops it inside a transaction and `block` keeps its main thread busy until
   * the file STEPS_UNBLOCK is there (both in the first attempt only), `file` writes one into the attempt's directory.
   */
  steps: string[];
}

export const stepsJob: JobDefinition<StepsPayload> = {
  kind: 'STEPS',
  maxAttempts: 3,
  parse(payload) {
    const { steps } = payload as Partial<StepsPayload>;
    if (!Array.isArray(steps)) throw new TypeError('steps must be a list');
    return { steps };
  },
};

/** Tables that the handler notes its steps in (with the id of its process) and looks for its gate in. */
export async function createStepsTables({ database }: Pick<Platform, 'database'>): Promise<void> {
  await database.prisma.$executeRaw`create table step (n serial, job_id text, attempt int, step text, worker int)`;
  await database.prisma.$executeRaw`create table gate (job_id text)`;
}

/** Forgets all jobs, what they did and what was told of them; for between two tests, when no worker runs. */
export async function removeJobs({ database }: Pick<Platform, 'database'>): Promise<void> {
  await database.prisma.$executeRaw`
    truncate platform.job, platform.job_need, platform.job_outbox, platform.event, platform.event_topic, step, gate`;
}

export async function openGate({ database }: Platform, jobId: string): Promise<void> {
  await database.prisma.$executeRaw`insert into gate values (${jobId})`;
}

/** `attempt step` of everything the handler committed, in order. */
export async function stepsOf({ database }: Platform, jobId: string): Promise<string[]> {
  const rows = await database.prisma.$queryRaw<{ attempt: number; step: string }[]>`
    select attempt, step from step where job_id = ${jobId} order by n`;
  return rows.map(({ attempt, step }) => `${attempt} ${step}`);
}

/** What clean-ups committed, of all jobs, in order. */
export async function cleanUpsOf({ database }: Platform): Promise<string[]> {
  const rows = await database.prisma.$queryRaw<{ step: string }[]>`select step from step where job_id = '' order by n`;
  return rows.map(({ step }) => step);
}

export function addStepsJob(
  { database, events }: Platform,
  ownerId: string,
  steps: unknown,
  options: { maxAttempts?: number } & Pick<NewJob<unknown>, 'priority' | 'needs' | 'size'> = {},
): Promise<Job> {
  const { maxAttempts = stepsJob.maxAttempts, ...rest } = options;
  return database.prisma.$transaction((tx) =>
    createJob(
      tx,
      events,
      { ...stepsJob, maxAttempts },
      { ownerId, subjectId: 'x', payload: { steps } as StepsPayload, ...rest },
    ),
  );
}

/** A handler that notes each step in a transaction of its own, its end with the result, and its clean-up. */
export function stepsHandler({ database }: Pick<Platform, 'database'>): JobHandler<StepsPayload> {
  return {
    definition: stepsJob,
    async run({ steps }, context) {
      const { id, attempt } = context.job;
      for (const [index, step] of steps.entries()) {
        context.progress(index / steps.length, step);
        if (step === 'die' || (step === 'die once' && attempt === 1)) process.kill(process.pid, 'SIGKILL');
        if (step === 'throw') throw new Error('something broke');
        if (step === 'refuse') throw new JobProblem('UNSUPPORTED', 'This cannot be done.', false);
        if (step === 'file') await writeFile(path.join(await context.directory(), 'file'), 'x');
        if (step === 'gate') await waitAtGate(id);
        else {
          await context.transaction(async (tx) => {
            await note(tx, context.job, step);
            if (step === 'freeze' && attempt === 1) process.kill(process.pid, 'SIGSTOP');
          });
        }
        if (step === 'block' && attempt === 1) while (!existsSync(process.env['STEPS_UNBLOCK'] ?? '')) continue;
        context.signal.throwIfAborted();
      }
      return async (tx) => {
        await note(tx, context.job, 'result');
        if (steps.includes('die at end') && attempt === 1) process.kill(process.pid, 'SIGKILL');
      };

      async function waitAtGate(jobId: string): Promise<void> {
        while (!context.signal.aborted) {
          const open = await database.prisma.$queryRaw<unknown[]>`select 1 from gate where job_id = ${jobId}`;
          if (open.length > 0) return;
          await pause(20, context.signal);
        }
      }
    },
    async abandon(_payload, tx, { outcome, failure }) {
      const note = `abandoned ${outcome} ${failure?.code ?? ''}`.trim();
      await tx.$executeRaw`insert into step (job_id, attempt, step) values ('', 0, ${note})`;
    },
  };
}

async function note(tx: PlatformTransaction, { id, attempt }: Job, step: string): Promise<void> {
  await tx.$executeRaw`
    insert into step (job_id, attempt, step, worker) values (${id}, ${attempt}, ${step}, ${process.pid})`;
}
