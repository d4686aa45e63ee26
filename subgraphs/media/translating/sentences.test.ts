import { staleSentences, batchesOf } from './pending';
import { sentencesOf, spread, textOf } from './sentences';
import type { SpokenText } from './translation-records';

const said = (index: number, text: string, more: Partial<SpokenText> = {}): SpokenText => ({
  ...{ id: `seg_${index}`, revision: 1, text, language: 'en', channel: 0, speakerId: null },
  ...{ startMs: index * 1_000, endMs: index * 1_000 + 900 },
  ...more,
});
const texts = (...segments: SpokenText[]): string[] => sentencesOf(segments).map(textOf);

test('a sentence that goes on in the next segment is one text', () => {
  const segments = [said(0, 'The train to the'), said(1, 'old city leaves.'), said(2, 'Take your seats.')];
  expect(texts(...segments)).toEqual(['The train to the old city leaves.', 'Take your seats.']);
});

test.each([
  ['another speaker', { speakerId: 'spk_2' }],
  ['another channel', { channel: 1 }],
  ['another language', { language: 'es' }],
  ['a long pause', { startMs: 5_000 }],
  ['a capital letter', { text: 'Old city leaves.' }],
])('%s ends a sentence', (_what, more) => {
  expect(texts(said(0, 'The train to the'), said(1, 'old city leaves.', more))).toHaveLength(2);
});

test('texts without any punctuation stand for themselves', () => {
  expect(texts(said(0, 'the train to the'), said(1, 'old city leaves'))).toHaveLength(2);
});

test('one forgotten full stop does not make one sentence of a whole recording', () => {
  const segments = Array.from({ length: 20 }, (_, index) => said(index, 'and so on'));
  expect(texts(...segments, said(20, 'The end.')).length).toBeGreaterThan(3);
});

test('a translation is spread over the segments by their share, in whole words and in order', () => {
  const [sentence] = sentencesOf([said(0, 'The train to the'), said(1, 'old city leaves at nine in the morning.')]);
  const translation = 'El tren a la ciudad vieja sale a las nueve de la mañana.';
  const parts = spread(translation, sentence!);
  expect(parts.join(' ')).toBe(translation);
  expect(parts[0]).toBe('El tren a la');
});

test('no segment goes without a word while there are enough', () => {
  const [sentence] = sentencesOf([said(0, 'A'), said(1, 'very long text in the middle'), said(2, 'b.')]);
  expect(spread('uno dos tres', sentence!)).toEqual(['uno', 'dos', 'tres']);
  expect(spread('uno', sentence!).filter(Boolean)).toEqual(['uno']);
});

test('a correction makes its sentence stale, and the ones beside it, but what is missing only itself', () => {
  const all = sentencesOf([0, 1, 2, 3, 4].map((index) => said(index, `Number ${index}.`)));
  const translated = new Map(all.map(([{ id }]) => [id, 1]));
  expect(staleSentences(all, translated)).toEqual([]);
  expect(staleSentences(all, new Map([...translated, ['seg_3', 0]])).map(textOf)).toEqual([
    ...['Number 2.', 'Number 3.', 'Number 4.'],
  ]);
  translated.delete('seg_0');
  expect(staleSentences(all, translated).map(textOf)).toEqual(['Number 0.']);
});

test('a batch holds sentences of one language, and not too many', () => {
  const segments = Array.from({ length: 60 }, (_, index) =>
    said(index, 'One.', { language: index < 30 ? 'en' : 'es' }),
  );
  expect([...batchesOf(sentencesOf(segments))].map((batch) => batch.length)).toEqual([25, 5, 25, 5]);
});
