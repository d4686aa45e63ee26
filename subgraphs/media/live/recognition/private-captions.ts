import type { RecognizedSegment } from '../../transcriber/transcriber';
import { cleanSegments } from '../../transcription/private/clean-segments';
import { eMails } from '../../transcription/private/e-mail';
import { numberRuns } from '../../transcription/private/numbers';
import type { RecognitionWishes } from '../../transcription/recognition-plan';

type Rules = Pick<RecognitionWishes, 'maskProfanity' | 'redact'>;

/** What may follow a name so that it becomes an address, spoken or written. */
const ADDRESS_ENDINGS = ['at a dot b', 'dot a at a dot b', 'a at a dot b', 'a dot b', 'dot b', 'b'].map((words) =>
  words.split(' '),
);

/**
 * What may be shown of an utterance under way, which is the last of `segments`; those before it wait to be cleaned together
 * with it. Words that a number or an address may still begin with are left out, as nobody can take back what was shown. Null
 * when that is all of them.
 */
export function shownPart(segments: readonly RecognizedSegment[], rules: Rules): RecognizedSegment | null {
  const underWay = segments.at(-1)!;
  if (rules.redact.length === 0) return cleanSegments([underWay], rules)[0]!;
  const count = certainWords(segments.flatMap(textsWithoutStop), underWay.language, rules);
  const before = segments.slice(0, -1);
  const shown = count - before.reduce((sum, { words }) => sum + words.length, 0);
  const words = underWay.words.slice(0, Math.max(0, shown));
  if (words.length === 0) return null;
  const part = { ...underWay, words, text: words.map(({ text }) => text).join(' '), endMs: words.at(-1)!.endMs };
  return cleanSegments([...before, part], rules).at(-1)!;
}

/** A full stop that an engine puts behind every utterance does not end a number that is told with pauses. */
function textsWithoutStop({ words }: RecognizedSegment): string[] {
  return words.map(({ text }, at) => (at === words.length - 1 ? text.replace(/[.]+$/, '') : text));
}

/** How many words at the beginning mean the same whatever follows. */
function certainWords(words: readonly string[], language: string, { redact }: Rules): number {
  const isNumber = redact.some((kind) => kind !== 'EMAIL');
  const fromNumber = isNumber ? beginningOfNumber(words, language) : words.length;
  const fromAddress = redact.includes('EMAIL') ? beginningOfAddress(words) : words.length;
  return Math.min(fromNumber, fromAddress);
}

/** A word that is no number yet may join two: one more digit is tried. */
function beginningOfNumber(words: readonly string[], language: string): number {
  const last = numberRuns([...words, '5'], language).at(-1);
  return last && last.to > words.length ? Math.min(last.from, words.length) : words.length;
}

function beginningOfAddress(words: readonly string[]): number {
  const beginnings = ADDRESS_ENDINGS.flatMap((ending) =>
    eMails([...words, ...ending])
      .filter(({ to }) => to > words.length)
      .map(({ from }) => from),
  );
  return Math.min(words.length, ...beginnings);
}
