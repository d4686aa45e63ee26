import type { Word } from '../../transcriber/transcriber';
import { StableWords, type ShownWords } from './stable-words';

/** Each word takes 200 ms, from `shiftMs` on. */
function said(text: string, shiftMs = 0): Word[] {
  return text.split(' ').map((word, at) => {
    const startMs = shiftMs + at * 200;
    return { text: word, startMs, endMs: startMs + 200, confidence: null };
  });
}
const show = ({ words, stableWords }: ShownWords): string => {
  const texts = words.map(({ text }) => text);
  return [...texts.slice(0, stableWords), '|', ...texts.slice(stableWords)].join(' ');
};

test('a word is stable that every guess of 400 ms has said and that ended 300 ms ago', () => {
  const stable = new StableWords();
  for (const heardMs of [300, 400, 500, 600, 650]) {
    expect(show(stable.take(said('the cat'), heardMs))).toBe('| the cat');
  }
  expect(show(stable.take(said('the cat'), 699))).toBe('| the cat');
  expect(show(stable.take(said('the cat sat'), 700))).toBe('the cat | sat');
  const fresh = new StableWords();
  fresh.take(said('the cat'), 1_001);
  expect(show(fresh.take(said('the cat'), 1_400))).toBe('| the cat');
  const other = new StableWords();
  other.take(said('the cat'), 900);
  other.take(said('a cat'), 1_000);
  expect(show(other.take(said('the cat'), 1_400))).toBe('| the cat');
  expect(show(other.take(said('the cat'), 1_500))).toBe('| the cat');
  expect(show(other.take(said('the cat'), 1_800))).toBe('the cat |');
});

test('what is stable stays, whatever the decoder says later, and the guess goes on behind it', () => {
  const stable = new StableWords();
  for (const heardMs of [350, 750]) stable.take(said('the cat sat'), heardMs);
  expect(show(stable.take(said('a bat has eaten'), 760))).toBe('the cat | has eaten');
  expect(show(stable.take(said('whatever'), 800))).toBe('the cat |');
  expect(show(stable.take(said('the cat sat', 15), 800))).toBe('the cat | sat');
});

test('who goes on for another worker keeps what that has shown as stable', () => {
  const stable = new StableWords(said('the cat'));
  expect(show(stable.take(said('the'), 300))).toBe('the cat |');
  expect(show(stable.take(said('the cat sat'), 700))).toBe('the cat | sat');
});
