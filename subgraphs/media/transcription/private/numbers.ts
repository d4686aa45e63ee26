import type { Span } from './spans';
import { numberWord, type NumberWord } from './spoken-digits';
import { bareWord } from './tokens';

/** Words in a row that tell a number, with its digits. */
export interface NumberRun extends Span {
  /** The digits of each word. */
  digits: string[];
  /** Whether one of them tells a number wherever it stands. */
  isCertain: boolean;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const THOUSANDS = /^\d{1,3}([,.]\d{3})+$/;
/** Between two words of one number, without a digit of their own: `one hundred and five`, `five dash five`. */
const CONNECTORS = new Set(['and', 'dash', 'hyphen', 'point', '-', '–']);

/** All runs of numbers in the words, in order; figures with their separators, and words as `spoken-digits.ts` knows them. */
export function numberRuns(words: readonly string[], language: string): NumberRun[] {
  const runs: NumberRun[] = [];
  let run: NumberRun | null = null;
  let before: NumberWord | null = null;
  for (const [at, word] of words.entries()) {
    const told = readNumber(word, language);
    if (!told) {
      if (!(run && CONNECTORS.has(bareWord(word)) && isNumber(words[at + 1], language))) run = null;
      before = null;
      continue;
    }
    if (!run) runs.push((run = { from: at, to: at, digits: [], isCertain: false }));
    while (run.digits.length < at - run.from) run.digits.push('');
    run.digits.push(digitsBehind(before, told, run.digits));
    run.to = at + 1;
    run.isCertain ||= !told.isAmbiguous;
    before = told;
    if (/[.?!;]$/.test(word)) run = before = null;
  }
  return runs;
}

/** Whether the words end inside a number, as far as they tell: with one of its words, or with one that joins them. */
export function endsInNumber(words: readonly string[], language: string): boolean {
  const last = words.findLastIndex((word) => !CONNECTORS.has(bareWord(word)));
  return numberRuns(words, language).some(({ to }) => to === last + 1);
}

/** Whether a figure is a date or a large number written with separators, and no row of digits that stand for something. */
export function isAmount(word: string): boolean {
  const bare = word.replace(/[.,;:!?]+$/, '');
  return DATE.test(bare) || THOUSANDS.test(bare);
}

function isNumber(word: string | undefined, language: string): boolean {
  return word !== undefined && readNumber(word, language) !== null;
}

function readNumber(word: string, language: string): NumberWord | null {
  if (/\d/.test(word) && !word.includes('@')) return { digits: word.replace(/\D/g, '') };
  const bare = bareWord(word);
  const known = numberWord(bare, language);
  if (known) return known;
  const parts = bare.split('-').map((part) => numberWord(part, language));
  if (parts.length < 2 || parts.some((part) => part === null)) return null;
  return { digits: parts.reduce((digits, part, at) => digitsAfter(digits, parts[at - 1] ?? null, part!), '') };
}

/** `twenty` and `five` are 25: the zero of the tens gives way. */
function digitsAfter(digits: string, before: NumberWord | null, told: NumberWord): string {
  return (before?.isTens && /^[1-9]$/.test(told.digits) ? digits.slice(0, -1) : digits) + told.digits;
}

function digitsBehind(before: NumberWord | null, told: NumberWord, digits: string[]): string {
  if (before?.repeats) return told.digits.repeat(before.repeats);
  if (before?.isTens && /^[1-9]$/.test(told.digits)) digits.push(digits.pop()!.slice(0, -1));
  return told.digits;
}
