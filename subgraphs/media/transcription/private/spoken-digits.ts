/**
 * Digits as words, by primary language subtag, position = digit. Several words of one digit are separated by `|`. Words that
 * are articles as well (French `un`, German `ein`) count among other digits only.
 */
const DIGITS: Readonly<Record<string, readonly string[]>> = {
  en: 'zero|oh|o|nought one two three four five six seven eight nine'.split(' '),
  es: 'cero uno|una dos tres cuatro cinco seis siete ocho nueve'.split(' '),
  fr: 'zéro un|une deux trois quatre cinq six sept huit neuf'.split(' '),
  pt: 'zero um|uma dois|duas três quatro cinco seis|meia sete oito nove'.split(' '),
  de: 'null eins|ein|eine zwei|zwo drei vier fünf sechs sieben acht neun'.split(' '),
  it: 'zero uno|un|una due tre quattro cinque sei sette otto nove'.split(' '),
  sw: 'sifuri moja mbili tatu nne tano sita saba nane tisa'.split(' '),
};
/** Words that mostly mean something else when they stand alone. */
const AMBIGUOUS = new Set('o oh una un une um uma meia ein eine sei'.split(' '));

const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const TEENS = 'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ');
const SCALES = new Map([
  ['hundred', '00'],
  ['thousand', '000'],
  ['million', '000000'],
  ['billion', '000000000'],
]);
const REPEATS = new Map([
  ['double', 2],
  ['triple', 3],
]);

/** What a word says as part of a number. */
export interface NumberWord {
  digits: string;
  /** How often the next word counts: `double five`. */
  repeats?: number;
  /** `twenty`, to which a digit may follow. */
  isTens?: boolean;
  /** Stands for a number only beside other words of numbers. */
  isAmbiguous?: boolean;
}

const WORDS: ReadonlyMap<string, ReadonlyMap<string, NumberWord>> = new Map(
  Object.entries(DIGITS).map(([language, digits]) => [language, wordsOf(language, digits)]),
);

/** The number a word names in a language (a BCP 47 tag), or null. Every language's digits, English numbers as well. */
export function numberWord(word: string, language: string): NumberWord | null {
  return WORDS.get(language.split('-', 1)[0]!.toLowerCase())?.get(word) ?? null;
}

function wordsOf(language: string, digits: readonly string[]): Map<string, NumberWord> {
  const words = new Map<string, NumberWord>();
  digits.forEach((names, digit) => {
    for (const name of names.split('|')) words.set(name, { digits: String(digit), isAmbiguous: AMBIGUOUS.has(name) });
  });
  if (language !== 'en') return words;
  TEENS.forEach((name, index) => words.set(name, { digits: String(10 + index) }));
  TENS.forEach((name, index) => words.set(name, { digits: `${index + 2}0`, isTens: true }));
  SCALES.forEach((zeros, name) => words.set(name, { digits: zeros, isAmbiguous: true }));
  REPEATS.forEach((repeats, name) => words.set(name, { digits: '', repeats, isAmbiguous: true }));
  return words;
}
