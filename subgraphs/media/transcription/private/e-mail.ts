import type { Span } from './spans';
import { bareWord } from './tokens';

const WRITTEN = /[^\s@]+@[^\s@]+\.\p{L}{2,}/u;
/** `example.org`, as some engines write what follows a spoken `at`. */
const DOMAIN = /^[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)*\.\p{L}{2,}$/u;
const JOINTS = new Set(['dot', 'point', 'underscore', 'dash', 'hyphen', 'minus', 'plus']);
const DOTS = new Set(['dot', 'point']);

/** E-mail addresses among the words: written ones, and spoken ones like `jane dot doe at example dot org`. */
export function eMails(words: readonly string[]): Span[] {
  const bare = words.map(bareWord);
  return words.flatMap((word, at) => {
    if (WRITTEN.test(word)) return [{ from: at, to: at + 1 }];
    const to = bare[at] === 'at' && at > 0 ? endOfDomain(bare, at + 1) : null;
    return to === null ? [] : [{ from: startOfName(bare, at), to }];
  });
}

/** Whether the words end where a spoken address may go on: with `at`, `dot` or the like, a spelled letter, or a word behind one. */
export function mayBeginEMail(words: readonly string[]): boolean {
  const [last = '', before = ''] = words.slice(-2).map(bareWord).reverse();
  const isInside = (word: string): boolean => word === 'at' || JOINTS.has(word);
  return isInside(before) || isInside(last) || last.length === 1;
}

/** Behind `at`: names joined by `dot`, at least two of them. */
function endOfDomain(bare: readonly string[], from: number): number | null {
  let to = from + 1;
  while (DOTS.has(bare[to] ?? '') && to + 1 < bare.length) to += 2;
  if (to > from + 1 || DOMAIN.test(bare[from] ?? '')) return to;
  return null;
}

/** Before `at`: words joined by `dot` and the like, or letters and digits spelled one by one. */
function startOfName(bare: readonly string[], at: number): number {
  let from = at - 1;
  for (;;) {
    if (from >= 2 && JOINTS.has(bare[from - 1]!)) from -= 2;
    else if (from >= 1 && bare[from - 1]!.length === 1 && bare[from]!.length === 1) from -= 1;
    else return from;
  }
}
