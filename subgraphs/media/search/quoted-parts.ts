/** What must occur together: words, and phrases as they are written. */
export interface Alternative {
  words: string;
  /** In quotes; those that are excluded must not occur. */
  phrases: { text: string; isExcluded: boolean }[];
}

/** What a query with quotes allows: one alternative for each `or` outside of them. A quote that is not closed means nothing. */
export function alternativesOf(query: string): Alternative[] {
  const parts = query.split('"');
  const alternatives: Alternative[] = [{ words: '', phrases: [] }];
  for (const [at, part] of parts.entries()) {
    const isQuoted = at % 2 === 1 && at < parts.length - 1;
    if (isQuoted) addPhrase(alternatives.at(-1)!, part);
    else addWords(alternatives, part);
  }
  return alternatives.filter(({ words, phrases }) => words.trim() !== '' || phrases.length > 0);
}

function addPhrase(alternative: Alternative, text: string): void {
  const isExcluded = /(^|\s)-$/.test(alternative.words);
  if (isExcluded) alternative.words = alternative.words.slice(0, -1);
  alternative.phrases.push({ text, isExcluded });
}

function addWords(alternatives: Alternative[], text: string): void {
  const [first, ...others] = text.split(/(?:^|\s+)or(?=\s|$)/i);
  alternatives.at(-1)!.words += ` ${first!}`;
  alternatives.push(...others.map((words) => ({ words, phrases: [] })));
}
