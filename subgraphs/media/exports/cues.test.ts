import { makeCues as makeCuesWithin, readingSpeed, type Cue, type CueLimits } from './cues';
import { DEFAULT_EXPORT_OPTIONS } from './export-options';
import { MAX_CUE_MS, MIN_CUE_MS } from './groups';
import { lengthOf } from './lines';
import { spreadWords, timedWords } from './timed-words';

interface Spoken {
  text: string;
  startMs: number;
  endMs: number;
  words: { text: string; startMs: number; endMs: number; confidence: number }[];
}

/** A segment whose words take `wordMs` each, one after the other. */
function spoken(text: string, startMs: number, wordMs: number): Spoken {
  const words = text.split(' ').map((word, index) => {
    const wordStartMs = startMs + index * wordMs;
    return { text: word, startMs: wordStartMs, endMs: wordStartMs + wordMs, confidence: 1 };
  });
  return { text, startMs, endMs: words.at(-1)!.endMs, words };
}

function makeCues(segments: Spoken[], limits: CueLimits = DEFAULT_EXPORT_OPTIONS, below?: string): Cue[] {
  const texts = segments.map((segment) => ({
    above: timedWords(segment, limits.maxLineLength),
    below: below === undefined ? [] : spreadWords(below, segment, limits.maxLineLength),
    voice: null,
  }));
  return makeCuesWithin(texts, limits);
}

function expectWellFormed(cues: Cue[], { maxLineLength, maxLines } = { maxLineLength: 42, maxLines: 2 }): void {
  cues.forEach((cue, index) => {
    expect(cue.lines.length).toBeGreaterThanOrEqual(1);
    expect(cue.lines.length).toBeLessThanOrEqual(maxLines);
    for (const line of cue.lines) expect(lengthOf(line)).toBeLessThanOrEqual(maxLineLength);
    expect(cue.endMs).toBeGreaterThan(cue.startMs);
    expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(MAX_CUE_MS);
    expect(cue.startMs).toBeGreaterThanOrEqual(cues[index - 1]?.endMs ?? 0);
  });
}

const textOf = (cues: Cue[]): string => cues.map((cue) => cue.lines.join(' ')).join(' ');

test('a short segment is one cue on one line', () => {
  expect(makeCues([spoken('The conference is now being recorded.', 500, 400)])).toMatchObject([
    { startMs: 500, endMs: 2_900, lines: ['The conference is now being recorded.'] },
  ]);
});

test('a longer one is divided into two lines of nearly equal length', () => {
  const [cue] = makeCues([spoken('You are currently the only person in this conference.', 0, 300)]);
  expect(cue!.lines).toEqual(['You are currently the only', 'person in this conference.']);
});

test('a long one becomes several cues cut between words, at the words’ own times', () => {
  const text =
    'Your call cannot be completed as dialed so please check the number and dial again or call your operator to help you.';
  const cues = makeCues([spoken(text, 1_000, 250)]);
  expectWellFormed(cues);
  expect(textOf(cues)).toBe(text);
  expect(cues.length).toBe(2);
  const wordsBefore = cues[0]!.lines.join(' ').split(' ').length;
  expect(cues[1]!.startMs).toBe(1_000 + wordsBefore * 250);
});

test('a cue lasts no longer than 7 s, however slowly somebody speaks', () => {
  const cues = makeCues([spoken('one two three four five', 0, 3_000), spoken('slow', 20_000, 30_000)]);
  expectWellFormed(cues);
  expect(cues.map((cue) => cue.lines[0])).toEqual(['one two', 'three four', 'five', 'slow']);
  expect(cues.at(-1)).toMatchObject({ startMs: 20_000, endMs: 27_000 });
});

test('a cue stays at least 1 s where the next one leaves room, and ends with it where not', () => {
  const [lonely, pressed, next] = makeCues([
    spoken('Yes.', 0, 200),
    spoken('No.', 5_000, 200),
    spoken('Maybe.', 5_400, 900),
  ]);
  expect(lonely).toMatchObject({ startMs: 0, endMs: MIN_CUE_MS });
  expect(pressed).toMatchObject({ startMs: 5_000, endMs: 5_400 });
  expect(next).toMatchObject({ startMs: 5_400 });
});

test('a fast cue stays until it can be read, 20 characters per second', () => {
  const [cue] = makeCues([spoken('Forty characters are said in half second', 0, 70)]);
  expect(cue).toMatchObject({ startMs: 0, endMs: 2_000 });
  expect(readingSpeed(cue!)).toBe(20);
});

test('a last word alone takes company from the cue before it', () => {
  const text = 'aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh iii';
  const cues = makeCues([spoken(`${text} so`, 0, 300)]);
  expectWellFormed(cues);
  expect(cues.at(-1)!.lines.join(' ').split(' ').length).toBeGreaterThan(1);
});

test('a word that no line holds is cut, also one of joined characters', () => {
  const family = '👩‍👩‍👧'.repeat(50);
  const cues = makeCues([spoken('x'.repeat(100), 0, 3_000), spoken(family, 10_000, 3_000)]);
  expectWellFormed(cues);
  expect(textOf(cues.slice(0, 2)).replaceAll(' ', '')).toBe('x'.repeat(100));
  expect(
    cues
      .flatMap((cue) => cue.lines)
      .join('')
      .includes(family.slice(0, 8)),
  ).toBe(true);
  expect(textOf(cues).replaceAll(' ', '')).toBe('x'.repeat(100) + family);
});

test('text that is not the engine’s words is spread over the segment’s time', () => {
  const segment = { ...spoken('one two', 1_000, 500), text: 'eins zwei drei vier' };
  const cues = makeCues([segment]);
  expect(cues).toMatchObject([{ startMs: 1_000, endMs: 2_000, lines: ['eins zwei drei vier'] }]);
});

test('overlapping and disordered segments give cues that follow each other', () => {
  const cues = makeCues([
    spoken('later words here', 3_000, 1_000),
    spoken('earlier words that go on', 2_000, 600),
    spoken('same start', 3_000, 100),
  ]);
  expectWellFormed(cues);
  expect(cues[0]!.lines).toEqual(['earlier words that go on']);
});

test('what two say at once is shown one behind the other, each for its share of the time', () => {
  const [first, second, later] = makeCues([
    spoken('We should leave before it rains', 1_000, 500),
    spoken('But I have not eaten', 1_000, 600),
    spoken('later', 9_000, 500),
  ]);
  expect(first).toMatchObject({ startMs: 1_000, endMs: 2_550, lines: ['We should leave before it rains'] });
  expect(second).toMatchObject({ startMs: 2_550, endMs: 4_000, lines: ['But I have not eaten'] });
  expect(later).toMatchObject({ startMs: 9_000 });
  const short = makeCues([spoken('Yes yes yes yes', 0, 250), spoken('No no no no', 100, 225)]);
  expect(short.map(({ startMs, endMs }) => endMs - startMs)).toEqual([577, 1_000]);
});

test('nothing said gives no cue', () => {
  expect(makeCues([])).toEqual([]);
  expect(makeCues([{ text: ' \u0007 ', startMs: 0, endMs: 100, words: [] }])).toEqual([]);
});

/** The same numbers in every run. */
function generator(seed: number): (below: number) => number {
  return (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
}

test('whatever is said, and whatever the layout, cues keep to their rules and lose no word', () => {
  const random = generator(7);
  for (let round = 0; round < 200; round++) {
    const layout = round % 2 ? DEFAULT_EXPORT_OPTIONS : { maxLineLength: 14 + random(50), maxLines: 1 + random(4) };
    let atMs = random(2_000);
    const segments = Array.from({ length: 1 + random(6) }, () => {
      const text = Array.from({ length: 1 + random(60) }, () => 'w'.repeat(1 + random(14))).join(' ');
      const segment = spoken(text, atMs, 1 + random(600));
      atMs = segment.endMs + random(1_500);
      return segment;
    });
    const cues = makeCues(segments, { ...layout, maxCharactersPerSecond: 20 });
    expectWellFormed(cues, layout);
    expect(textOf(cues)).toBe(segments.map((segment) => segment.text).join(' '));
  }
});

test('with two texts each fills lines of its own, and none loses a word', () => {
  const random = generator(11);
  const words = (letter: string): string =>
    Array.from({ length: 1 + random(60) }, () => letter.repeat(1 + random(14))).join(' ');
  for (let round = 0; round < 100; round++) {
    const [above, below] = [words('a'), words('b')];
    const cues = makeCues([spoken(above, 0, 1 + random(600))], undefined, below);
    expectWellFormed(cues, { maxLineLength: 42, maxLines: 4 });
    const lines = cues.flatMap((cue) => cue.lines);
    expect(lines.filter((line) => line.startsWith('a')).join(' ')).toBe(above);
    expect(lines.filter((line) => line.startsWith('b')).join(' ')).toBe(below);
    for (const cue of cues) expect(cue.lines.map((line) => line[0]).join('')).toMatch(/^a{0,2}b{0,2}$/);
  }
});

test('three short lines are as equal as the words allow', () => {
  const [cue] = makeCues([spoken('to be or not to be that is the question', 0, 300)], {
    maxLineLength: 16,
    maxLines: 3,
    maxCharactersPerSecond: 20,
  });
  expect(cue!.lines).toEqual(['to be or not', 'to be that is', 'the question']);
});
