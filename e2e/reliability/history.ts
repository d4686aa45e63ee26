import type { JobSnapshot } from '../../platform/jobs/job';
import type { Store } from '../chaos/store';

/** A row that an attempt committed; the rows of one job stand in the order of their commits, which its fence sees to. */
export interface Written {
  jobId: string;
  attempt: number;
  step: string;
  /** Id of the process. */
  worker: number;
}

/** An event of an owner's topic. */
export interface Announced {
  topic: string;
  seq: number;
  atMs: number;
  job: JobSnapshot;
}

/** All that was committed, and what was promised before. */
export interface History {
  /** Ids of jobs whose creation was acknowledged. */
  acknowledged: readonly string[];
  /** Steps that every job has to do, in order. */
  steps: readonly string[];
  jobs: readonly { id: string; state: string; attempt: number }[];
  written: readonly Written[];
  announced: readonly Announced[];
  /** Ids of jobs in the topic that tells everybody of ends, one for each event. */
  ends: readonly string[];
}

export async function readHistory(store: Store, promised: Pick<History, 'acknowledged' | 'steps'>): Promise<History> {
  const events = `from platform.event where topic`;
  const announced = await store.query<{ topic: string; seq: string; at: Date; payload: JobSnapshot }>(
    `select topic, seq, at, payload ${events} like 'jobs:%' order by topic, seq`,
  );
  const ends = await store.query<{ id: string }>(
    `select payload->>'jobId' as id ${events} = 'jobs.finished' order by seq`,
  );
  return {
    ...promised,
    jobs: await store.query('select id, state::text as state, attempt from platform.job'),
    written: await store.query(`select job_id as "jobId", attempt, step, worker from step order by n`),
    announced: announced.map(({ topic, seq, at, payload }) => ({
      topic,
      seq: Number(seq),
      atMs: at.getTime(),
      job: payload,
    })),
    ends: ends.map(({ id }) => id),
  };
}
