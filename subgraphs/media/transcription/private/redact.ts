import type { RedactionKind } from '../recognition-plan';
import { eMails } from './e-mail';
import { isAmount, numberRuns, type NumberRun } from './numbers';
import { withoutOverlaps, type Span } from './spans';

export interface PrivateSpan extends Span {
  kind: RedactionKind;
}

/**
 * Where the words tell private data of these kinds, in order and without overlaps: what is more particular counts first
 * (a card number is no telephone number). Words of numbers are known in English, digits also in the languages of
 * `spoken-digits.ts`, figures in all. In doubt it finds too much rather than too little.
 */
export function privateSpans(
  words: readonly string[],
  { kinds, language }: { kinds: readonly RedactionKind[]; language: string },
): PrivateSpan[] {
  const runs = numberRuns(words, language);
  const found: Record<RedactionKind, () => Span[]> = {
    EMAIL: () => eMails(words),
    CARD: () => runs.flatMap(cardsIn),
    PHONE: () => runs.flatMap((run) => phonesIn(run, words)),
    NUMBER: () => runs.filter(({ isCertain }) => isCertain),
  };
  const order: RedactionKind[] = ['EMAIL', 'CARD', 'PHONE', 'NUMBER'];
  return withoutOverlaps(
    order
      .filter((kind) => kinds.includes(kind))
      .flatMap((kind) => found[kind]().map(({ from, to }) => ({ from, to, kind }))),
  );
}

/** 13 to 19 digits with a right check digit, on the borders of words; other digits may stand beside them. */
function cardsIn({ from, digits }: NumberRun): Span[] {
  for (let length = digits.length; length >= 1; length--) {
    for (let first = 0; first + length <= digits.length; first++) {
      if (isCard(digits.slice(first, first + length).join(''))) {
        return [{ from: from + first, to: from + first + length }];
      }
    }
  }
  return [];
}

/** ISO/IEC 7812-1, annex B: every second digit from the right counts double, and the sum ends with 0. */
function isCard(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || /^0+$/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** A run of 7 to 15 digits. In a longer one, which may be several numbers, each word that has as many by itself. */
function phonesIn({ from, to, digits }: NumberRun, words: readonly string[]): Span[] {
  const isPhone = (text: string): boolean => text.length >= 7 && text.length <= 15;
  if (isPhone(digits.join(''))) return digits.length === 1 && isAmount(words[from]!) ? [] : [{ from, to }];
  return digits.flatMap((text, at) =>
    isPhone(text) && !isAmount(words[from + at]!) ? [{ from: from + at, to: from + at + 1 }] : [],
  );
}
