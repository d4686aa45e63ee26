import { readRange, type RangeOutcome } from './range';

const SIZE = 1_000;

test.each<[header: string | undefined, outcome: RangeOutcome]>([
  [undefined, 'whole'],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-499', { start: 0, end: 499 }],
  ['Bytes=990-', { start: 990, end: 999 }],
  ['bytes=-10', { start: 990, end: 999 }],
  ['bytes=-5000', { start: 0, end: 999 }],
  ['bytes=500-9999', { start: 500, end: 999 }],
  [`bytes=0-${'9'.repeat(30)}`, { start: 0, end: 999 }],
  ['bytes=999-', { start: 999, end: 999 }],
  ['bytes=1000-', 'unsatisfiable'],
  [`bytes=${'9'.repeat(30)}-`, 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-2', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=1.5-3', 'whole'],
  ['bytes 0-1', 'whole'],
  ['lines=0-1', 'whole'],
  [`bytes=${Array.from({ length: 1_000 }, () => '0-').join(',')}`, 'whole'],
  ['bytes=0-1,5-6', 'whole'],
])('%s of a file of 1000 bytes', (header, outcome) => {
  expect(readRange(header, SIZE)).toEqual(outcome);
});

test('no range of an empty file can be satisfied', () => {
  expect([readRange('bytes=0-', 0), readRange('bytes=-1', 0)]).toEqual(['unsatisfiable', 'unsatisfiable']);
});
