import { dictionary } from '@zxcvbn-ts/language-common';

export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 256;

/** Shorter parts of names and addresses are in too many words to be refused. */
const MIN_PERSONAL_LENGTH = 4;
/** What must be left of a password without the guessable words in it. */
const MIN_REST_LENGTH = 5;

/**
 * Why a password is refused, or null when it is fine. `personal` are texts it must not be made of: the e-mail address and
 * names. Rules as in OWASP ASVS 5.0 §6.2.1–6.2.11: length and guessability, no demands on kinds of characters.
 */
export function passwordWeakness(password: string, personal: readonly string[]): string | null {
  if (isTooLong(password)) return `A password has at most ${MAX_PASSWORD_LENGTH} characters; this one has more.`;
  const length = [...password.normalize('NFC')].length;
  if (length < MIN_PASSWORD_LENGTH)
    return `A password has at least ${MIN_PASSWORD_LENGTH} characters; this one has ${length}.`;
  if (/\p{Cs}/u.test(password)) return 'A password has no halves of characters (unpaired surrogates).';
  if (isCommon(password)) return 'This password is among the first that anybody would guess.';
  if (isMadeOf(password, personalWords(personal))) return 'The password must not be made of your name or address.';
  return null;
}

/** Whether it has more than 256 characters, found out without looking at all of a text that is much longer. */
export function isTooLong(password: string): boolean {
  return password.length > 2 * MAX_PASSWORD_LENGTH || [...password.normalize('NFC')].length > MAX_PASSWORD_LENGTH;
}

function isCommon(password: string): boolean {
  const lower = fold(password);
  const isMonotonous = new Set(lower).size < 3 || /^(.{1,4})\1+$/u.test(lower);
  // `Password2024!` is `password` to whoever guesses: with something behind it, and with digits for letters.
  const word = lower.replace(/[^\p{L}]{1,4}$/u, '');
  return isMonotonous || [lower, word].flatMap(readings).some((form) => commonPasswords().has(form));
}

/** Whether too little is left of the password without the words, forwards or backwards, also with digits for letters. */
function isMadeOf(password: string, words: readonly string[]): boolean {
  return readings(fold(password))
    .map(onlyWord)
    .some((form) => {
      const rest = words.reduce((left, word) => left.replaceAll(word, '').replaceAll(backwards(word), ''), form);
      return rest !== form && rest.length < MIN_REST_LENGTH;
    });
}

function backwards(word: string): string {
  return [...word].reverse().join('');
}

/** The texts and the words in them, folded; the longest first. */
function personalWords(texts: readonly string[]): string[] {
  const words = texts.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)]).map((text) => onlyWord(fold(text)));
  return [...new Set(words)].filter(({ length }) => length >= MIN_PERSONAL_LENGTH).sort((a, b) => b.length - a.length);
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function onlyWord(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '');
}

const LETTERS: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g' },
  ...{ '@': 'a', $: 's', '!': 'i', '|': 'l' },
};

/** The text as it is, and with letters for the digits and signs that are written for them. */
function readings(text: string): string[] {
  const letters = text.replace(/[0345789@$!|]/g, (sign) => LETTERS[sign]!);
  return [text, letters.replaceAll('1', 'l'), letters.replaceAll('1', 'i')];
}

let common: Set<string> | undefined;
/** About 49,000 of the passwords that were stolen most often, as zxcvbn counts them; read when first needed (20 ms). */
function commonPasswords(): Set<string> {
  return (common ??= new Set(dictionary['passwords-common']));
}
