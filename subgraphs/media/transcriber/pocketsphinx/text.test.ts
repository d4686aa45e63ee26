import { toSegment, type Token } from './text';

const place = { index: 3, language: 'en-US' };

function heard(...texts: string[]): Token[] {
  return texts.map((text, n) => ({ text, startMs: n * 100, endMs: n * 100 + 90, confidence: 0.5 }));
}

test('becomes a sentence with a capital, a final period and a large I', () => {
  expect(toSegment(heard('yes', 'i', 'know', "i'm", 'ill'), place)?.text).toBe("Yes I know I'm ill.");
});

test('drops sentence marks, silences and noises', () => {
  const segment = toSegment(heard('<s>', '[NOISE]', 'good', '<sil>', 'morning', '++UM++', '[SPEECH]', '</s>'), place);
  expect(segment?.text).toBe('Good morning.');
  expect(segment).toMatchObject({ index: 3, language: 'en-US', startMs: 200, endMs: 490 });
});

test('drops the number of a second pronunciation', () => {
  expect(toSegment(heard('the(2)', 'record(3)'), place)?.text).toBe('The record.');
});

test('the text is its words joined by spaces', () => {
  const segment = toSegment(heard('<s>', 'two', 'words', '</s>'), place);
  expect(segment?.words.map((word) => word.text).join(' ')).toBe(segment?.text);
});

test('keeps confidence between 0 and 1', () => {
  const [first, second] = heard('a', 'b');
  const segment = toSegment(
    [
      { ...first!, confidence: 1.0002 },
      { ...second!, confidence: -0.001 },
    ],
    place,
  );
  expect(segment?.words.map((word) => word.confidence)).toEqual([1, 0]);
  expect(segment?.confidence).toBe(0.5);
});

test('an utterance without words is no segment', () => {
  expect(toSegment(heard('<s>', '[NOISE]', '</s>'), place)).toBeNull();
  expect(toSegment([], place)).toBeNull();
});
