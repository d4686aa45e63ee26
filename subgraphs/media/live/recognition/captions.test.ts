import { waitFor } from '../../../../platform/testing/wait';
import { emptyCheckpoint } from '../../transcription/checkpoint';
import type { RecognitionPlan } from '../../transcription/recognition-plan';
import type { SegmentRow } from '../../records';
import type { RecognizedSegment, Word } from '../../transcriber/transcriber';
import { CaptionWriter } from './caption-writer';
import { Captions } from './captions';
import type { Writing } from './recognition-records';

type Rules = Partial<Pick<RecognitionPlan, 'redact' | 'maskProfanity'>>;

/** Recorded guesses: what a decoder said of each utterance every 100 ms, and in the end. */
type Guesses = readonly { guesses: readonly string[]; final: string }[];

const RECORDED: Guesses = [
  {
    guesses: ['please', 'peas', 'please wait', 'please weight wile', 'please wait while I'],
    final: 'Please wait while.',
  },
  { guesses: ['a', 'uh', ''], final: '' },
  {
    guesses: ['your', 'your', 'you are the', 'your the only', 'your the only person'],
    final: 'You are the only person.',
  },
  { guesses: [], final: 'Yes.' },
];

/** What one statement after the other wrote and told. */
class Story {
  readonly writings: Writing[] = [];
  readonly stored = new Map<string, SegmentRow>();
  private waiting: (() => void)[] = [];

  /** Each write takes until {@link next} when `isSlow`. */
  constructor(private readonly isSlow: boolean) {}

  async write(writing: Writing): Promise<void> {
    if (this.isSlow) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.writings.push(writing);
    for (const segment of writing.segments) this.stored.set(segment.id, segment);
    for (const id of writing.removedIds) this.stored.delete(id);
  }

  next(): void {
    this.waiting.shift()?.();
  }

  get told(): SegmentRow[] {
    return this.writings.flatMap(({ events }) =>
      events.flatMap((event) => (event.type === 'segment.changed' ? [event.segment] : [])),
    );
  }
}

/** Each word takes 200 ms from the utterance's beginning. */
function said(text: string, startMs: number): RecognizedSegment | null {
  if (text === '') return null;
  const words = text.split(' ').map((word, at): Word => {
    const from = startMs + at * 200;
    return { text: word, startMs: from, endMs: from + 200, confidence: 0.5 };
  });
  return { index: 0, text, startMs, endMs: words.at(-1)!.endMs, confidence: 0.5, language: 'en-US', words };
}

async function play(
  utterances: Guesses,
  { isSlow = false, pauseMs = 1_000, ...rules }: Rules & { isSlow?: boolean; pauseMs?: number } = {},
): Promise<Story> {
  const story = new Story(isSlow);
  const writer = new CaptionWriter(story, new Map(), (error) => {
    throw error;
  });
  const plan = { language: 'en-US', maskProfanity: false, redact: [], ...rules } as unknown as RecognitionPlan;
  const total = emptyCheckpoint('recorded');
  const captions = new Captions({ plan, transcriptId: 'trn_1', speakerId: 'spk_1', known: new Map(), writer, total });
  let atMs = 0;
  for (const { guesses, final } of utterances) {
    captions.begin(atMs);
    for (const [at, guess] of guesses.entries()) {
      captions.guess(said(guess, atMs), { heardMs: atMs + (at + 1) * 400, isLate: false });
      if (at % 2 === 1) story.next();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const segment = said(final, atMs);
    captions.end(segment, { atMs: segment?.endMs ?? atMs, turnEnd: true });
    atMs = (segment?.endMs ?? atMs) + pauseMs;
    captions.pass(atMs);
  }
  captions.settle();
  const release = setInterval(() => story.next(), 1);
  await writer.settled();
  clearInterval(release);
  return story;
}

/** What somebody has who keeps the highest revision of each segment. */
function transcriptOf(told: readonly SegmentRow[]): string[] {
  const newest = new Map<string, SegmentRow>();
  for (const segment of told) {
    if (segment.revision > (newest.get(segment.id)?.revision ?? 0)) newest.set(segment.id, segment);
  }
  const shown = [...newest.values()].filter(({ text }) => text !== '');
  return shown.sort((one, other) => one.position - other.position).map(({ text }) => text);
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In any order, some twice, many not at all; but the last of each segment is there. */
function disturbed(told: readonly SegmentRow[], random: () => number): SegmentRow[] {
  const isLast = (segment: SegmentRow): boolean => told.findLast(({ id }) => id === segment.id) === segment;
  return told
    .flatMap((segment) => (random() < 0.3 ? [segment, segment] : random() < 0.5 || isLast(segment) ? [segment] : []))
    .map((segment) => ({ segment, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ segment }) => segment);
}

test.each([false, true])(
  'told in any order, repeated and thinned, it is the same transcript (slow database: %s)',
  async (isSlow) => {
    const { told, stored } = await play(RECORDED, { isSlow });
    const expected = ['Please wait while.', 'You are the only person.', 'Yes.'];
    expect(transcriptOf(told)).toEqual(expected);
    expect(transcriptOf([...stored.values()])).toEqual(expected);
    for (let seed = 1; seed <= 500; seed++) expect(transcriptOf(disturbed(told, randomFrom(seed)))).toEqual(expected);
  },
);

test('positions follow each other, and what was no speech takes none', async () => {
  const { stored } = await play(RECORDED);
  expect([...stored.values()].map(({ position }) => position)).toEqual([0, 1, 2]);
});

test('a slow database thins the guesses out and keeps what is final', async () => {
  const fast = await play(RECORDED);
  const slow = await play(RECORDED, { isSlow: true });
  expect(slow.told.length).toBeLessThan(fast.told.length);
  const finals = ({ told }: Story) => told.filter(({ state }) => state === 'FINAL').map(({ text }) => text);
  expect(finals(slow).filter((text) => text !== '')).toEqual(finals(fast).filter((text) => text !== ''));
});

test('a guess that says the same is not told again', async () => {
  const { told } = await play([{ guesses: ['one', 'one', 'one', 'one two'], final: 'one two' }]);
  expect(told.map(({ text, state }) => `${state} ${text}`)).toEqual([
    'PARTIAL one',
    'PARTIAL one two',
    'FINAL one two',
  ]);
});

const DIGITS = 'five six seven eight nine one two three'.split(' ');
const beginnings = (text: string): string[] => text.split(' ').map((_, at, words) => words.slice(0, at + 1).join(' '));

test.each<[string, Rules, Guesses, string[]]>([
  [
    'a number in one breath',
    { redact: ['PHONE'] },
    [{ guesses: beginnings(`call ${DIGITS.join(' ')} now please`), final: `call ${DIGITS.join(' ')} now please` }],
    ['call [PHONE] now please'],
  ],
  [
    'a number told with pauses',
    { redact: ['PHONE'] },
    [
      { guesses: beginnings('call five six seven'), final: 'Call five six seven.' },
      { guesses: beginnings('eight nine'), final: 'Eight nine.' },
      { guesses: beginnings('one two three thanks'), final: 'One two three thanks.' },
    ],
    ['Call [PHONE].', '[PHONE].', '[PHONE] thanks.'],
  ],
  [
    'an address',
    { redact: ['EMAIL'] },
    [
      {
        guesses: beginnings('write to jane dot doe at example dot org today'),
        final: 'write to jane dot doe at example dot org today',
      },
    ],
    ['write to [EMAIL] today'],
  ],
  [
    'an address told with pauses',
    { redact: ['EMAIL'] },
    [
      { guesses: beginnings('write to jane dot'), final: 'write to jane dot' },
      { guesses: beginnings('doe at example dot'), final: 'doe at example dot' },
      { guesses: beginnings('org and now'), final: 'org and now' },
    ],
    ['write to [EMAIL]', '[EMAIL]', '[EMAIL] and now'],
  ],
])('%s is never shown, not even for a moment', async (_, rules, utterances, expected) => {
  const { told, writings } = await play(utterances, rules);
  expect(transcriptOf(told)).toEqual(expected);
  expect(JSON.stringify(writings)).not.toMatch(
    /"(text)":"[^"]*\b(five|six|seven|eight|nine|one|two|three|jane|doe|example)\b/i,
  );
});

test('digits that are no number after all are shown when the speaker has gone on', async () => {
  const { told } = await play(
    [
      { guesses: ['five'], final: 'I have five.' },
      { guesses: ['birds'], final: 'Birds are here.' },
    ],
    { redact: ['PHONE'], pauseMs: 4_000 },
  );
  expect(transcriptOf(told)).toEqual(['I have five.', 'Birds are here.']);
});

test('whatever comes at the moment at which a write ends is written as well', async () => {
  const reached: number[] = [];
  for (let turns = 0; turns < 12; turns++) {
    let answer = (): void => {};
    const write = async (writing: Writing): Promise<void> => {
      reached.push(writing.heardBytes);
      if (writing.heardBytes % 2 === 0) await new Promise<void>((resolve) => (answer = resolve));
    };
    const writer = new CaptionWriter({ write }, new Map(), () => undefined);
    writer.reach(2 * turns);
    await waitFor('the write', () => reached.includes(2 * turns));
    answer();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    writer.reach(2 * turns + 1);
    await writer.settled();
  }
  expect(reached).toEqual(Array.from({ length: 24 }, (_, at) => at));
});
