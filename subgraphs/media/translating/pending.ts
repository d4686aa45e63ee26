import { textOf, type Sentence } from './sentences';

/** One engine call and one commit: about 50 ms of Apertium, and far below the limits of services. */
const MAX_SENTENCES = 25;
const MAX_CHARACTERS = 5_000;

/**
 * The sentences of which a segment is missing or was translated from another text than it has now. `translated` tells the
 * revisions by segment. A correction may also move the border to the next or the one before, so these are made anew too.
 */
export function staleSentences(sentences: readonly Sentence[], translated: ReadonlyMap<string, number>): Sentence[] {
  const changed = sentences.map((sentence) =>
    sentence.some(({ id, revision }) => translated.has(id) && translated.get(id) !== revision),
  );
  const missing = sentences.map((sentence) => sentence.some(({ id }) => !translated.has(id)));
  return sentences.filter(
    (_sentence, index) => missing[index] || changed[index] || changed[index - 1] || changed[index + 1],
  );
}

/** Consecutive sentences of one language, as many as are translated in one call. */
export function* batchesOf(sentences: readonly Sentence[]): Generator<Sentence[], void, void> {
  let batch: Sentence[] = [];
  let characters = 0;
  for (const sentence of sentences) {
    const isOver = batch.length === MAX_SENTENCES || characters + textOf(sentence).length > MAX_CHARACTERS;
    if (batch.length > 0 && (isOver || batch[0]![0].language !== sentence[0].language)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(sentence);
    characters += textOf(sentence).length;
  }
  if (batch.length > 0) yield batch;
}
