import { MAX_CUE_MS, textsOf, type Group } from './groups';
import { fitsLayout, lengthOf, type Layout } from './lines';
import type { TimedWord } from './timed-words';

/**
 * Cuts a text and the one below it into the same number of parts, the fewest of which each keeps to the layout and to
 * 7 s. Parts of one text are of nearly equal length, so what belongs together stands together as far as that can be told
 * without knowing the languages. A part lasts as long as its words above; where some have none, all last equally long.
 */
export function twoTextGroups(above: readonly TimedWord[], below: readonly TimedWord[], layout: Layout): Group[] {
  const most = above.length + below.length;
  for (let count = 1; count < most; count++) {
    const groups = groupsOf(above, below, count);
    if (groups.every((group) => fits(group, layout))) return groups;
  }
  return groupsOf(above, below, most);
}

function groupsOf(above: readonly TimedWord[], below: readonly TimedWord[], count: number): Group[] {
  const [upper, lower] = [inParts(above, count), inParts(below, count)];
  const isSaid = upper.every((words) => words.length > 0);
  const spanOf = isSaid ? spanOfWords : equalSpans(below, count);
  const groups = upper.map((words, index) => ({ above: words, below: lower[index]!, ...spanOf(words, index) }));
  return groups.filter((group) => group.above.length + group.below.length > 0);
}

type Span = Pick<Group, 'startMs' | 'endMs'>;

function spanOfWords(words: readonly TimedWord[]): Span {
  return { startMs: words[0]!.startMs, endMs: words.at(-1)!.endMs };
}

/** The words of a text that was not heard cover the whole time of their segment. */
function equalSpans(words: readonly TimedWord[], count: number): (_words: unknown, index: number) => Span {
  const { startMs, endMs } = spanOfWords(words);
  const at = (index: number): number => Math.round(startMs + ((endMs - startMs) * index) / count);
  return (_words, index) => ({ startMs: at(index), endMs: at(index + 1) });
}

/** Each word goes to the part in which its middle lies. */
function inParts(words: readonly TimedWord[], count: number): TimedWord[][] {
  const parts = Array.from({ length: count }, (): TimedWord[] => []);
  const total = words.reduce((sum, word) => sum + lengthOf(word.text), 0);
  let passed = 0;
  for (const word of words) {
    const length = lengthOf(word.text);
    parts[Math.floor((count * (passed + length / 2)) / total)]!.push(word);
    passed += length;
  }
  return parts;
}

function fits({ above, below, startMs, endMs }: Group, layout: Layout): boolean {
  const isShort = endMs - startMs <= MAX_CUE_MS || above.length + below.length <= 2;
  return isShort && [above, below].every((words) => fitsLayout(textsOf(words), layout));
}
