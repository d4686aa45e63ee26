import { keepTimes, type Span } from './align-words';

/** Words of 300 ms each, one after the other from `startMs`. */
const spoken = (text: string, startMs = 0) =>
  text.split(' ').map((word, index) => {
    const from = startMs + index * 300;
    return { text: word, startMs: from, endMs: from + 300, confidence: 0.5 };
  });

function keep(old: string, now: string, segment: Span = { startMs: 0, endMs: old.split(' ').length * 300 }) {
  const texts = now.split(' ');
  const { found, times, gaps } = keepTimes(spoken(old), texts, segment);
  const kept = times.map((time) => time?.startMs ?? null);
  return {
    kept,
    found: found.map((word) => word?.text ?? null),
    gaps: gaps.map((gap) => Object.values(gap) as number[]),
  };
}

test('words that stay keep their times, whatever their case and punctuation', () => {
  expect(keep('good morning every body', 'Good morning, every-body!').kept).toEqual([0, 300, null]);
  expect(keep('good morning everybody', '“Good morning”, everybody…').kept).toEqual([0, 300, 600]);
});

test('a replaced word leaves a gap as long as the old one', () => {
  const { kept, gaps } = keep('the whether is fine', 'the weather is fine');
  expect(kept).toEqual([0, null, 600, 900]);
  expect(gaps).toEqual([[1, 1, 300, 600]]);
});

test('several places are gaps of their own, at both ends as well', () => {
  const { gaps } = keep('a b c d e f', 'x b c y e z');
  expect(gaps).toEqual([
    [0, 1, 0, 300],
    [3, 1, 900, 1_200],
    [5, 1, 1_500, 1_800],
  ]);
});

test('a removed word leaves the others where they are', () => {
  expect(keep('well I think so', 'I think so')).toMatchObject({ kept: [300, 600, 900], gaps: [] });
});

test('a word put in between two others takes the time of a neighbour, which is placed anew with it', () => {
  const { kept, found, gaps } = keep('one three', 'one two three');
  expect(kept).toEqual([null, null, 600 - 300]);
  expect(found).toEqual(['one', null, 'three']);
  expect(gaps).toEqual([[0, 2, 0, 300]]);
});

test('many words put in take as many neighbours as they need', () => {
  const { kept, gaps } = keep('a b c d', 'a b 1 2 3 4 5 6 c d');
  expect(kept.filter((time) => time !== null)).toEqual([600, 900]);
  expect(gaps).toEqual([[0, 8, 0, 600]]);
});

test('words outside of the corrected segment lose their times, those over its edge are cut', () => {
  const { kept, gaps } = keep('a b c d', 'a b c d', { startMs: 450, endMs: 1_000 });
  expect(kept).toEqual([null, null, 600, 900]);
  expect(gaps).toEqual([[0, 2, 450, 600]]);
});

test('nothing in common is one gap over the whole segment', () => {
  expect(keep('a b', 'x y z').gaps).toEqual([[0, 3, 0, 600]]);
  expect(keep('a', '? !').gaps).toEqual([[0, 2, 0, 300]]);
});

test('whatever is written, times are in order inside the segment, and gaps lie between them', () => {
  let seed = 5;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const words = (): string => Array.from({ length: 1 + random(12) }, () => 'abcd'[random(4)]).join(' ');
  for (let round = 0; round < 500; round++) {
    const [old, now] = [words(), words()];
    const segment = { startMs: random(1_000), endMs: 1_001 + random(2_000) };
    const { times, gaps } = keepTimes(spoken(old), now.split(' '), segment);
    const inGaps = gaps.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
    expect(inGaps).toEqual(times.flatMap((time, index) => (time ? [] : index)));
    const spans = [...times.flatMap((time) => time ?? []), ...gaps].sort((one, other) => one.startMs - other.startMs);
    let lastMs = segment.startMs;
    for (const { startMs, endMs } of spans) {
      expect(startMs).toBeGreaterThanOrEqual(lastMs);
      expect(endMs).toBeGreaterThanOrEqual(startMs);
      lastMs = endMs;
    }
    expect(lastMs).toBeLessThanOrEqual(segment.endMs);
  }
});
