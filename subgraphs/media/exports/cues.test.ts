import { makeCues, MAX_CUE_MS, MIN_CUE_MS, readingSpeed, type Cue } from './cues';
import { lengthOf, LINE_LENGTH } from './lines';

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

function expectWellFormed(cues: Cue[]): void {
  cues.forEach((cue, index) => {
    expect(cue.lines.length).toBeGreaterThanOrEqual(1);
    expect(cue.lines.length).toBeLessThanOrEqual(2);
    for (const line of cue.lines) expect(lengthOf(line)).toBeLessThanOrEqual(LINE_LENGTH);
    expect(cue.endMs).toBeGreaterThan(cue.startMs);
    expect(cue.endMs - cue.startMs).toBeLessThanOrEqual(MAX_CUE_MS);
    expect(cue.startMs).toBeGreaterThanOrEqual(cues[index - 1]?.endMs ?? 0);
  });
}

const textOf = (cues: Cue[]): string => cues.map((cue) => cue.lines.join(' ')).join(' ');

test('a short segment is one cue on one line', () => {
  expect(makeCues([spoken('The conference is now being recorded.', 500, 400)])).toEqual([
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
  expect(cues).toEqual([{ startMs: 1_000, endMs: 2_000, lines: ['eins zwei drei vier'] }]);
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

test('nothing said gives no cue', () => {
  expect(makeCues([])).toEqual([]);
  expect(makeCues([{ text: ' \u0007 ', startMs: 0, endMs: 100, words: [] }])).toEqual([]);
});

test('whatever is said, cues keep to their rules and lose no word', () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 200; round++) {
    let atMs = random(2_000);
    const segments = Array.from({ length: 1 + random(6) }, () => {
      const text = Array.from({ length: 1 + random(60) }, () => 'w'.repeat(1 + random(14))).join(' ');
      const segment = spoken(text, atMs, 1 + random(600));
      atMs = segment.endMs + random(1_500);
      return segment;
    });
    const cues = makeCues(segments);
    expectWellFormed(cues);
    expect(textOf(cues)).toBe(segments.map((segment) => segment.text).join(' '));
  }
});
