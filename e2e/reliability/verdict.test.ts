import type { JobState } from '../../platform/jobs/job';
import type { Announced, History, Written } from './history';
import { isFlawless, judge } from './verdict';

const STEPS = ['one', 'two'];

/** A job whose first attempt was killed after one step, and what was told of it. */
function aHistory(change: Partial<History> = {}): History {
  return {
    acknowledged: ['a'],
    steps: STEPS,
    jobs: [{ id: 'a', state: 'SUCCEEDED', attempt: 2 }],
    written: [row(1, 'one'), row(2, 'one'), row(2, 'two'), row(2, 'result')],
    announced: told(['QUEUED', 0], ['RUNNING', 1, 0.5], ['QUEUED', 1, 0.5], ['RUNNING', 2], ['SUCCEEDED', 2, 1]),
    ends: ['a'],
    ...change,
  };
}

function row(attempt: number, step: string): Written {
  return { jobId: 'a', attempt, step, worker: attempt };
}

function told(...events: [state: JobState, attempt: number, progress?: number][]): Announced[] {
  return events.map(([state, attempt, progress = state === 'SUCCEEDED' ? 1 : 0], index) => ({
    topic: 'jobs:x',
    seq: index + 1,
    atMs: index,
    job: { jobId: 'a', state, attempt, progress } as Announced['job'],
  }));
}

test('a history with a second attempt and one result has no flaw', () => {
  expect(isFlawless(judge(aHistory()))).toBe(true);
});

const whole = [row(1, 'one'), row(1, 'two'), row(1, 'result')];

test.each<[fault: string, change: Partial<History>, flaw: object]>([
  ['a result that is missing', { written: [row(1, 'one')] }, { lost: 1 }],
  ['a job that was acknowledged and is not there', { acknowledged: ['a', 'b'] }, { lost: 1, disordered: 1 }],
  ['a second result', { written: [...whole, row(1, 'result')] }, { doubled: 1, overtaken: 1, torn: 1 }],
  ['a job that nobody was told of', { acknowledged: [] }, { unknown: 1 }],
  ['a job that failed', { jobs: [{ id: 'a', state: 'FAILED', attempt: 2 }] }, { unsuccessful: 1 }],
  [
    'a row of an attempt that was over',
    { written: [row(2, 'one'), row(1, 'one'), row(2, 'two'), row(2, 'result')] },
    { overtaken: 1 },
  ],
  ['a row behind the result', { written: [...whole, row(2, 'one')] }, { overtaken: 1 }],
  ['a result before the last step', { written: [row(1, 'one'), row(1, 'result')] }, { torn: 1 }],
  [
    'progress that falls',
    { announced: told(['QUEUED', 0], ['RUNNING', 1, 0.5], ['RUNNING', 1, 0.4], ['SUCCEEDED', 1, 1]) },
    { backwards: 1 },
  ],
  [
    'an attempt that is left out',
    { announced: told(['QUEUED', 0], ['RUNNING', 2], ['SUCCEEDED', 2, 1]) },
    { disordered: 1 },
  ],
  [
    'news behind the end',
    { announced: told(['QUEUED', 0], ['RUNNING', 1], ['SUCCEEDED', 1, 1], ['RUNNING', 1, 1]) },
    { disordered: 2 },
  ],
  [
    'an event that is missing',
    { announced: told(['QUEUED', 0], ['RUNNING', 1], ['RUNNING', 1], ['SUCCEEDED', 1]).filter(({ seq }) => seq !== 2) },
    { disordered: 2 },
  ],
  ['an end that everybody was told of twice', { ends: ['a', 'a'] }, { disordered: 1 }],
])('%s is a flaw', (_fault, change, flaw) => {
  const flawless = judge(aHistory());
  expect(judge(aHistory(change))).toEqual({ ...flawless, ...flaw });
});
