import { silentLogger, type Logger } from '../../../../../platform/logger';
import { orAborted } from '../../../../../platform/or-aborted';
import type { Vocabulary } from '../../transcriber';
import type { DecoderProcess } from '../decoder-process';
import { prepareVocabulary, type PreparedVocabulary } from './prepare';

/** A recording's pieces come one after the other with the same vocabulary; it is prepared once. */
const KEPT_VOCABULARIES = 8;

/** Prepares vocabularies and remembers the last ones. */
export class Vocabularies {
  readonly #prepared = new Map<string, PreparedVocabulary>();
  readonly #logger: Logger;

  constructor(private readonly options: { logger?: Logger; espeak?: string }) {
    this.#logger = options.logger ?? silentLogger;
  }

  async prepare(
    vocabulary: Vocabulary,
    { decoder, signal }: { decoder: DecoderProcess; signal: AbortSignal },
  ): Promise<PreparedVocabulary> {
    const key = JSON.stringify(vocabulary);
    const known = this.#prepared.get(key);
    if (known) return known;
    const { espeak } = this.options;
    await orAborted(decoder.use(null), signal); // words that another vocabulary has added are not known
    const unknownWords = (words: readonly string[]) => orAborted(decoder.unknownWords(words), signal);
    const prepared = await prepareVocabulary(vocabulary, { unknownWords, signal, ...(espeak != null && { espeak }) });
    if (prepared.leftOut.length > 0) {
      this.#logger.warn(
        { words: prepared.leftOut.length },
        'nothing here knows how some keyterms are said; is espeak-ng missing?',
      );
    }
    this.#prepared.set(key, prepared);
    if (this.#prepared.size > KEPT_VOCABULARIES) this.#prepared.delete(this.#prepared.keys().next().value!);
    return prepared;
  }
}
