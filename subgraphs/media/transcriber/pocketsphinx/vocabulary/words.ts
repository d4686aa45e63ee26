/** A word as somebody has written it, and its name in the decoder's dictionary. */
export interface WrittenWord {
  written: string;
  entry: string;
}

const LONGEST_WORD_CHARACTERS = 60;
/** What a dictionary entry may look like everywhere, grammars and language models included. */
const PLAIN = /^[a-z][a-z0-9'-]*$/;

/**
 * The words of a text, without the punctuation around them: `Is M-Pesa open?` gives `Is`, `M-Pesa`, `open`. What holds
 * neither a letter nor a digit is no word, and what is longer than 60 characters is none that anybody says.
 */
export function wordsOf(text: string): WrittenWord[] {
  return text
    .normalize('NFC')
    .replace(/[’ʼ]/g, "'")
    .split(/[\s/]+/)
    .map((part) => part.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((part) => part !== '' && part.length <= LONGEST_WORD_CHARACTERS)
    .map((written) => ({ written, entry: entryOf(written.toLowerCase()) }));
}

/** PocketSphinx's dictionary is in small letters; what has others, or digits, is entered under a name of our own. */
function entryOf(key: string): string {
  return PLAIN.test(key) ? key : `x-${Buffer.from(key).toString('hex')}`;
}
