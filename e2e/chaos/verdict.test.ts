import { judge, lostRanges, positionsOf, sum } from './verdict';

const committed = ['a', 'b', 'c', 'd'];

test.each([
  ['everything once and in order', ['a', 'b', 'c', 'd'], {}],
  ['an event that never came', ['a', 'b', 'd'], { lost: 1 }],
  ['the end that never came', ['a', 'b'], { lost: 2 }],
  ['an event that came twice', ['a', 'b', 'b', 'c', 'd'], { repeated: 1 }],
  ['a replay from the beginning', ['a', 'b', 'a', 'b', 'c', 'd'], { repeated: 2, disordered: 1 }],
  ['two events that changed places', ['a', 'c', 'b', 'd'], { disordered: 1 }],
  ['an event that nobody committed', ['a', 'b', 'x', 'c', 'd'], { unknown: 1 }],
])('tells %s', (_what, seen, wrong) => {
  expect(judge(committed, seen)).toEqual({ lost: 0, repeated: 0, disordered: 0, unknown: 0, ...wrong });
});

test('adds up what is wrong with several readers', () => {
  expect(sum([judge(committed, ['a']), judge(committed, ['a', 'b', 'c', 'd', 'd'])])).toEqual({
    lost: 3,
    repeated: 1,
    disordered: 0,
    unknown: 0,
  });
});

test('names what was lost, and where in the topic an event stands', () => {
  expect(lostRanges(['a', 'b', 'c', 'd', 'e'], ['b', 'e'])).toBe('0, 2-3');
  expect(lostRanges(committed, committed)).toBe('');
  expect(positionsOf(committed, ['c', 'x'])).toEqual([2, undefined]);
});
