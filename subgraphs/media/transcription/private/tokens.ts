/** A word without the punctuation around it, in lower case. */
export function bareWord(word: string): string {
  return word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '') || word;
}

/** The punctuation that ends a word, to be kept behind what replaces it. */
export function punctuationBehind(word: string): string {
  return /[.,;:!?…]*$/u.exec(word)![0];
}
