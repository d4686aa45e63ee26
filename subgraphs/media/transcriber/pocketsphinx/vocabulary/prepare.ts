import type { Vocabulary } from '../../transcriber';
import type { DecoderVocabulary } from '../decoder-process';
import { trigramModel } from './arpa';
import { readGrammar } from './grammar';
import { InvalidVocabularyError } from './grammar-text';
import { pronounce } from './pronunciation';
import { wordsOf, type WrittenWord } from './words';

export interface PreparedVocabulary {
  /** Null: nothing of it can be expected. */
  decoder: DecoderVocabulary | null;
  /** How a dictionary entry is to be written in the transcript; what is missing, as it is. */
  spellings: ReadonlyMap<string, string>;
  /** Words that cannot be expected, because nothing here knows how they are said. */
  leftOut: readonly string[];
}

/** What is asked while a vocabulary is prepared. */
export interface Sources {
  /** Which of these entries the decoder's dictionary lacks. */
  unknownWords: (entries: readonly string[]) => Promise<string[]>;
  signal: AbortSignal;
  /** Name or path of espeak-ng. */
  espeak?: string;
}

/** Keyterms of more words are sentences, whose first word is written large for its place only. */
const LONGEST_TERM_WORDS = 3;

/**
 * Makes of keyterms a language model and the words it needs, or of a grammar its graph. Sentences lose the words that
 * nobody knows how to say; a grammar with such a word is refused with InvalidVocabularyError.
 */
export function prepareVocabulary(vocabulary: Vocabulary, sources: Sources): Promise<PreparedVocabulary> {
  return vocabulary.grammar == null
    ? prepareKeyterms(vocabulary.keyterms, sources)
    : prepareGrammar(vocabulary.grammar, sources);
}

/** The sounds of the entries that the dictionary lacks, and those among them that nothing can say. */
export async function soundsOf(
  words: readonly WrittenWord[],
  { unknownWords, signal, espeak }: Sources,
): Promise<{ added: [entry: string, sounds: string][]; unsayable: ReadonlySet<string> }> {
  const written = new Map(words.map((word) => [word.entry, word.written]));
  const unknown = await unknownWords([...written.keys()]);
  const spoken = unknown.map((entry) => written.get(entry)!.toLowerCase());
  const sounds = await pronounce(spoken, { signal, ...(espeak != null && { program: espeak }) });
  const added = unknown.flatMap((entry, index) => {
    const found = sounds?.get(spoken[index]!);
    return found == null ? [] : [[entry, found] as [string, string]];
  });
  const sayable = new Set(added.map(([entry]) => entry));
  return { added, unsayable: new Set(unknown.filter((entry) => !sayable.has(entry))) };
}

async function prepareKeyterms(keyterms: readonly string[], sources: Sources): Promise<PreparedVocabulary> {
  const terms = keyterms.map(wordsOf);
  const words = terms.flat();
  const { added, unsayable } = await soundsOf(words, sources);
  const sentences = terms
    .map((term) => term.map(({ entry }) => entry).filter((entry) => !unsayable.has(entry)))
    .filter((sentence) => sentence.length > 0);
  return {
    decoder: sentences.length === 0 ? null : { added, model: trigramModel(sentences) },
    spellings: spellingsOf(terms),
    leftOut: [...new Set(words.filter(({ entry }) => unsayable.has(entry)).map(({ written }) => written))],
  };
}

async function prepareGrammar(text: string, sources: Sources): Promise<PreparedVocabulary> {
  const graph = readGrammar(text);
  const words = [...graph.words].map(([entry, { written }]) => ({ entry, written }));
  const { added, unsayable } = await soundsOf(words, sources);
  for (const entry of unsayable) {
    const { written, line } = graph.words.get(entry)!;
    throw new InvalidVocabularyError(
      line,
      `nothing here knows how "${written}" is said; espeak-ng would, if installed.`,
    );
  }
  return { decoder: { added, graph: graph.text }, spellings: spellingsOf(words.map((word) => [word])), leftOut: [] };
}

/** A word is written as its term writes it first, except where a sentence begins. */
function spellingsOf(terms: readonly (readonly WrittenWord[])[]): Map<string, string> {
  const spellings = new Map<string, string>();
  for (const term of terms) {
    term.forEach(({ entry, written }, position) => {
      const isMark = position === 0 && term.length > LONGEST_TERM_WORDS && entry === written.toLowerCase();
      const spelling = isMark ? written.charAt(0).toLowerCase() + written.slice(1) : written;
      if (spelling !== entry && !spellings.has(entry)) spellings.set(entry, spelling);
    });
  }
  return spellings;
}
