import type { Database, PlatformTransaction } from '../database/database';

/** How many finished jobs of a kind tell its speed. */
const SAMPLE = 20;

/** How many finished jobs of a kind tell how many run at once. */
const PLACES_SAMPLE = 100;

type Queries = Pick<Database['prisma'] | PlatformTransaction, '$queryRaw'>;

/**
 * How fast jobs of a kind go here: units of their `size` a millisecond (for media this is "times real time"), as the median
 * of the last 20 that succeeded and knew their size; null without any.
 */
export async function speedOf(database: Queries, kind: string): Promise<number | null> {
  const [row] = await database.$queryRaw<{ speed: number | null }[]>`
    select percentile_cont(0.5) within group (order by size / ms)::float8 as speed from (
      select size, greatest(1, extract(epoch from finished_at - attempt_started_at)::float8 * 1000) as ms from platform.job
       where kind = ${kind} and state = 'SUCCEEDED' and size > 0 and attempt_started_at is not null
       order by finished_at desc limit ${SAMPLE}) as last`;
  return row?.speed ?? null;
}

/**
 * How many jobs that wait now would start before one that this owner queues now with this priority: its own of the same or
 * higher priority, and of every other owner as many as come to their turn meanwhile, since turns go round: what that owner
 * has handed to the queue, and one more for each of the own. A job of low priority lets all of higher priority pass.
 */
export async function queuePosition(database: Queries, job: { ownerId: string; priority: number }): Promise<number> {
  const [row] = await database.$queryRaw<{ before: number }[]>`
    with waiting as (
      select owner_id, count(*) filter (where priority >= ${job.priority}) as ahead, count(*) as everything,
             count(*) filter (where priority >= 0) as passing,
             count(*) filter (where handed_at is not null and (${job.priority} < 0 or priority >= 0)) as handed
        from platform.job where state = 'QUEUED' group by owner_id
    ), own as (
      select coalesce(max(ahead), 0) as ahead from waiting where owner_id = ${job.ownerId}
    )
    select (own.ahead + coalesce((
      select sum(case when ${job.priority} < 0 then greatest(passing, least(everything, handed + own.ahead))
                      else least(passing, handed + own.ahead) end)
        from waiting where owner_id <> ${job.ownerId}), 0))::int as before from own`;
  return row!.before;
}

/** What the workers are at, and what waits for them. Times in milliseconds, sizes as in {@link speedOf}. */
export interface Workload {
  running: {
    kind: string;
    size: number | null;
    /** How long the present attempt has been running. */
    ranMs: number;
    /** Until the job's own `expectedAt`; null while it cannot tell. */
    leftMs: number | null;
  }[];
  /** By kind: how many jobs, how many of them know their size, and the sum of these sizes. */
  waiting: { kind: string; count: number; sized: number; size: number }[];
  /** How many jobs run at once here, as far as is known: the most that do now, or did among the last of this kind today. */
  places: number;
}

/** See {@link Workload}; `kind` is that of the job to come. */
export async function workloadOf(database: Queries, kind: string): Promise<Workload> {
  const running = await database.$queryRaw<Workload['running']>`
    select kind, size::float8 as size, (extract(epoch from now() - attempt_started_at) * 1000)::float8 as "ranMs",
           (extract(epoch from expected_at - now()) * 1000)::float8 as "leftMs"
      from platform.job where state = 'RUNNING' and attempt_started_at is not null`;
  const waiting = await database.$queryRaw<Workload['waiting']>`
    select kind, count(*)::int as count, count(size)::int as sized, coalesce(sum(size), 0)::float8 as size
      from platform.job where state = 'QUEUED' group by kind`;
  const [row] = await database.$queryRaw<{ atOnce: number | null }[]>`
    with last as (
      select attempt_started_at as began, finished_at as ended from platform.job
       where kind = ${kind} and state = 'SUCCEEDED' and finished_at > now() - interval '1 day'
       order by finished_at desc limit ${PLACES_SAMPLE})
    select max((select count(*) from last other where other.began <= last.began and other.ended > last.began))::int
      as "atOnce" from last`;
  return { running, waiting, places: Math.max(1, running.length, row?.atOnce ?? 0) };
}
