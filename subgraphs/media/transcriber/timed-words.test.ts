import { placed, segmentOf, timedWords, type TimedPiece } from './timed-words';

const span = { startMs: 0, endMs: 1_000 };

function pieces(...told: [text: string, startMs: number, endMs: number, confidence?: number][]): TimedPiece[] {
  return told.map(([text, startMs, endMs, confidence = 0.5]) => ({ text, startMs, endMs, confidence }));
}

test('words keep the capitals and punctuation of the text, and the times of the words that were told', () => {
  expect(timedWords('Hello, World.', pieces(['hello', 100, 300, 0.4], ['world', 400, 700, 0.8]), span)).toEqual([
    { text: 'Hello,', startMs: 100, endMs: 300, confidence: 0.4 },
    { text: 'World.', startMs: 400, endMs: 700, confidence: 0.8 },
  ]);
});

test('parts of words are put together', () => {
  const parts = pieces([' un', 0, 100, 0.2], ['believ', 100, 200, 0.4], ['able', 200, 300, 0.6], [' you', 400, 500, 1]);
  expect(timedWords('Unbelievable you', parts, span)).toEqual([
    { text: 'Unbelievable', startMs: 0, endMs: 300, confidence: 0.4 },
    { text: 'you', startMs: 400, endMs: 500, confidence: 1 },
  ]);
});

test('a piece that covers two words of the text times both', () => {
  const words = timedWords('New York', pieces(['NewYork', 100, 500]), span);
  expect(words.map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual([
    ['New', 100, 500],
    ['York', 100, 500],
  ]);
});

test('a dash between words lies where the word before it ends', () => {
  const words = timedWords('yes — no', pieces(['yes', 0, 200], ['no', 500, 600]), span);
  expect(words[1]).toEqual({ text: '—', startMs: 200, endMs: 200, confidence: null });
});

test('accents may be written as one character or two', () => {
  const words = timedWords('Cafe\u0301 olé', pieces(['café', 0, 200], ['ole\u0301', 300, 400]), span);
  expect(words.map(({ startMs }) => startMs)).toEqual([0, 300]);
});

test('when the letters differ the pieces are the words', () => {
  const told = pieces([' ten', 0, 200], [' me', 300, 400], ['ters', 400, 500]);
  expect(timedWords('10 m', told, span).map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual([
    ['ten', 0, 200],
    ['meters', 300, 500],
  ]);
});

test('without pieces the span is shared out by length', () => {
  expect(timedWords('one three', [], span)).toEqual([
    { text: 'one', startMs: 0, endMs: 400, confidence: null },
    { text: 'three', startMs: 400, endMs: 1_000, confidence: null },
  ]);
});

test('placed words are whole milliseconds, in order and inside the limits', () => {
  const words = pieces(['a', -20, 100.4], ['b', 90, 250], ['c', 240, 99_999]);
  const limits = { startMs: 5_000, endMs: 6_000 };
  expect(placed(words, { offsetMs: 5_000, limits }).map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
    [5_000, 5_100],
    [5_100, 5_250],
    [5_250, 6_000],
  ]);
});

test('a segment is its words; without words there is none', () => {
  const words = pieces(['Yes,', 100, 200, 0.4], ['no.', 300, 400, 0.8]);
  expect(segmentOf(words, { index: 2, language: 'en' })).toEqual({
    index: 2,
    language: 'en',
    text: 'Yes, no.',
    startMs: 100,
    endMs: 400,
    confidence: 0.6,
    words,
  });
  expect(segmentOf([], { index: 0, language: 'en' })).toBeNull();
});
