import type { Announced, History, Written } from './history';

/** What is wrong with a history; all figures are 0 when nothing is. */
export interface Verdict {
  /** Acknowledged jobs without a result. */
  lost: number;
  /** Results beyond the first of a job. */
  doubled: number;
  /** Jobs that are there although nobody was told so. */
  unknown: number;
  /** Jobs that did not end as SUCCEEDED. */
  unsuccessful: number;
  /** Rows that an attempt committed after a later attempt's, or after the result. */
  overtaken: number;
  /** Attempts whose rows are not the steps in order, or that gave the result before the last of them. */
  torn: number;
  /** Events whose progress is lower than that of an earlier one of the attempt. */
  backwards: number;
  /** Events that cannot follow the one before, topics with a gap, ends told not at all or twice. */
  disordered: number;
}

/** Checks a history against the promise: each acknowledged job has exactly one result, and all is told in order. */
export function judge(history: History): Verdict {
  const rowsOf = groupBy(history.written, ({ jobId }) => jobId);
  const eventsOf = groupBy(history.announced, ({ job }) => job.jobId);
  const known = new Set(history.acknowledged);
  const ids = [...new Set([...known, ...history.jobs.map(({ id }) => id), ...rowsOf.keys()])];
  const each = (count: (id: string) => number): number => ids.reduce((sum, id) => sum + count(id), 0);
  const rows = (id: string): readonly Written[] => rowsOf.get(id) ?? [];
  const events = (id: string): readonly Announced[] => eventsOf.get(id) ?? [];
  const results = (id: string): number => rows(id).filter(({ step }) => step === 'result').length;
  return {
    lost: each((id) => (known.has(id) && results(id) === 0 ? 1 : 0)),
    doubled: each((id) => Math.max(0, results(id) - 1)),
    unknown: each((id) => (known.has(id) ? 0 : 1)),
    unsuccessful: history.jobs.filter(({ state }) => state !== 'SUCCEEDED').length,
    overtaken: each((id) => overtakenRows(rows(id))),
    torn: each((id) => tornAttempts(rows(id), history.steps)),
    backwards: each((id) => progressFalls(events(id))),
    disordered: each((id) => disorderedEvents(events(id))) + gaps(history.announced) + wrongEnds(history),
  };
}

export function isFlawless(verdict: Verdict): boolean {
  return Object.values(verdict).every((count) => count === 0);
}

export function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function overtakenRows(rows: readonly Written[]): number {
  let newest = 0;
  let isOver = false;
  let count = 0;
  for (const { attempt, step } of rows) {
    if (attempt < newest || isOver) count++;
    newest = Math.max(newest, attempt);
    isOver ||= step === 'result';
  }
  return count;
}

/** An attempt writes the first so many steps; one that gives the result has written all. */
function tornAttempts(rows: readonly Written[], steps: readonly string[]): number {
  const whole = [...steps, 'result'];
  const isTorn = (written: readonly Written[]): boolean => written.some(({ step }, index) => step !== whole[index]);
  return [...groupBy(rows, ({ attempt }) => attempt).values()].filter(isTorn).length;
}

function progressFalls(events: readonly Announced[]): number {
  return countPairs(
    events,
    (before, after) => after.job.attempt === before.job.attempt && after.job.progress < before.job.progress,
  );
}

/** How a job goes on: each attempt begins from QUEUED and ends in QUEUED or for good. */
function disorderedEvents(events: readonly Announced[]): number {
  const [first] = events;
  const last = events.at(-1);
  const isWhole = first?.job.state === 'QUEUED' && first.job.attempt === 0 && last?.job.state === 'SUCCEEDED';
  return (isWhole ? 0 : 1) + countPairs(events, (before, after) => !mayFollow(before, after));
}

function mayFollow({ job: before }: Announced, { job: after }: Announced): boolean {
  if (before.state === 'QUEUED') return after.state === 'RUNNING' && after.attempt === before.attempt + 1;
  if (before.state !== 'RUNNING' || after.attempt !== before.attempt) return false;
  return ['RUNNING', 'QUEUED', 'SUCCEEDED'].includes(after.state);
}

/** Each topic counts its events from 1. */
function gaps(announced: readonly Announced[]): number {
  return [...groupBy(announced, ({ topic }) => topic).values()].reduce(
    (sum, events) => sum + events.filter(({ seq }, index) => seq !== index + 1).length,
    0,
  );
}

/** Everybody is told of each end once. */
function wrongEnds({ ends, jobs }: History): number {
  const told = groupBy(ends, (id) => id);
  return jobs.filter(({ id }) => told.get(id)?.length !== 1).length;
}

function countPairs<Item>(items: readonly Item[], isBad: (before: Item, after: Item) => boolean): number {
  return items.filter((item, index) => index > 0 && isBad(items[index - 1]!, item)).length;
}
