import type { VerifiedToken } from '../../platform/identity/access-token';
import { VoidTokens } from './void-tokens';

const START = Date.parse('2026-11-26T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEARS = 10 * 365 * 24 * HOUR;

/** Marks, a clock that may be set and an uptime that only grows. */
function someMarks(mostMarks?: number) {
  const time = { clock: START, uptime: 0 };
  const marks = new VoidTokens({
    clock: () => new Date(time.clock),
    uptimeMs: () => time.uptime,
    ...(mostMarks === undefined ? {} : { mostMarks }),
  });
  return {
    marks,
    ended: (sessionId: string) => marks.hear({ kind: 'ended', sessionId, at: new Date(time.clock).toISOString() }),
    pass: (ms: number) => {
      time.clock += ms;
      time.uptime += ms;
      marks.hear({ kind: 'current' });
    },
    setClock: (ms: number) => {
      time.clock += ms;
      marks.hear({ kind: 'current' });
    },
  };
}

function aToken(sessionId: string, issuedAt = START - 1): VerifiedToken {
  return {
    viewer: { userId: 'u', sessionId, scopes: [] },
    issuedAt: new Date(issuedAt),
    endsAt: new Date(START + HOUR),
  };
}

test('marks are kept for eleven minutes, and longer for those that are heard again', () => {
  const { marks, ended, pass } = someMarks();
  ended('one');
  pass(6 * MINUTE);
  ended('two');
  marks.hear({ kind: 'changed', userId: 'v', at: new Date(START).toISOString() });
  pass(5 * MINUTE);
  expect([marks.has(aToken('one')), marks.size]).toEqual([true, 3]);
  pass(1);
  expect([marks.has(aToken('one')), marks.has(aToken('two')), marks.size]).toEqual([false, true, 2]);
  pass(11 * MINUTE);
  expect(marks.size).toBe(0);
});

test.each([
  ['an hour ahead', HOUR],
  ['ten years ahead', YEARS],
  ['an hour back', -HOUR],
  ['ten years back', -YEARS],
])('a clock that jumps %s brings no token back', (_, jump) => {
  const { marks, ended, pass, setClock } = someMarks();
  ended('one');
  setClock(jump);
  expect(marks.has(aToken('one'))).toBe(true);
  pass(10.5 * MINUTE);
  expect(marks.has(aToken('one'))).toBe(true);
  setClock(-jump);
  expect(marks.has(aToken('one'))).toBe(true);
});

test('a clock that stays behind keeps the marks until it has caught up', () => {
  const { marks, ended, pass, setClock } = someMarks();
  ended('one');
  setClock(-HOUR);
  pass(12 * MINUTE);
  expect(marks.has(aToken('one'))).toBe(true);
  pass(HOUR);
  expect(marks.size).toBe(0);
});

test('more marks than are kept make everything void that was issued before the oldest of them', () => {
  const { marks, ended, pass } = someMarks(3);
  for (const id of ['one', 'two', 'three']) {
    ended(id);
    pass(1_000);
  }
  expect(marks.has(aToken('other'))).toBe(false);
  ended('four');
  expect(marks.size).toBe(3);
  expect([aToken('one'), aToken('other'), aToken('four', START + HOUR)].map((token) => marks.has(token))).toEqual([
    true,
    true,
    true,
  ]);
  expect(marks.has(aToken('other', START))).toBe(false);
});
