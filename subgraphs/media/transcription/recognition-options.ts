import { UserProblemError } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import { checkGrammar } from '../transcriber/pocketsphinx/vocabulary/grammar';
import { REDACTION_KINDS, type RecognitionWishes, type RedactionKind } from './recognition-plan';

/** `RecognitionOptions` of the graph. */
export interface RecognitionOptions {
  language?: string | null | undefined;
  languages?: readonly string[] | null | undefined;
  engine?: string | null | undefined;
  speakers?: boolean | null | undefined;
  maxSpeakers?: number | null | undefined;
  keyterms?: readonly string[] | null | undefined;
  grammar?: string | null | undefined;
  perChannel?: boolean | null | undefined;
  maskProfanity?: boolean | null | undefined;
  redact?: readonly RedactionKind[] | null | undefined;
  normalize?: boolean | null | undefined;
}

const MAX_LANGUAGES = 20;
const MAX_SPEAKERS = 30;
const MAX_KEYTERMS = 1_000;
const MAX_KEYTERM_LENGTH = 200;
const MAX_KEYTERM_WORDS = 20;

/**
 * Checks the options and fills the defaults in. Throws INVALID_INPUT with the path of the option behind `path`, which names
 * the input object.
 */
export function checkedWishes(options: RecognitionOptions, path: readonly string[]): RecognitionWishes {
  const fail = (option: keyof RecognitionOptions, message: string): never => {
    throw new UserProblemError<MediaProblemCode>({ code: 'INVALID_INPUT', message, path: [...path, option] });
  };
  return {
    ...checkedLanguages(options, fail),
    speakers: checkedSpeakers(options, fail),
    keyterms: checkedKeyterms(options, fail),
    grammar: checkedGrammar(options, fail),
    perChannel: options.perChannel ?? false,
    maskProfanity: options.maskProfanity ?? false,
    redact: REDACTION_KINDS.filter((kind) => options.redact?.includes(kind)),
    normalize: options.normalize ?? false,
  };
}

type Fail = (option: keyof RecognitionOptions, message: string) => never;

/** One candidate alone is what is spoken. */
function checkedLanguages(options: RecognitionOptions, fail: Fail): Pick<RecognitionWishes, 'language' | 'languages'> {
  const languages = [...new Set(options.languages ?? [])];
  if (languages.length > MAX_LANGUAGES) {
    fail('languages', `At most ${MAX_LANGUAGES} languages can be told apart; these are ${languages.length}.`);
  }
  if (options.language != null && languages.length > 0) {
    fail('languages', 'Give either "language" or "languages": one that is known need not be detected.');
  }
  if (languages.length === 1) return { language: languages[0]!, languages: [] };
  return { language: options.language ?? null, languages };
}

/** Where each channel is a speaker, nobody has to tell them apart. */
function checkedSpeakers(options: RecognitionOptions, fail: Fail): RecognitionWishes['speakers'] {
  const { speakers, maxSpeakers = null, perChannel } = options;
  if (maxSpeakers !== null) {
    if (!speakers) fail('maxSpeakers', '"maxSpeakers" needs "speakers": true.');
    if (maxSpeakers < 1 || maxSpeakers > MAX_SPEAKERS) {
      fail('maxSpeakers', `"maxSpeakers" is 1 to ${MAX_SPEAKERS}; it is ${maxSpeakers}.`);
    }
  }
  return speakers && !perChannel ? { max: maxSpeakers } : null;
}

function checkedKeyterms({ keyterms }: RecognitionOptions, fail: Fail): string[] {
  const terms = [...new Set((keyterms ?? []).map((term) => term.trim().replace(/\s+/g, ' ').normalize('NFC')))];
  if (terms.length > MAX_KEYTERMS) {
    fail('keyterms', `At most ${MAX_KEYTERMS} keyterms can be given; these are ${terms.length}.`);
  }
  for (const term of terms) {
    const length = [...term].length;
    const words = term.split(' ').length;
    if (length >= 1 && length <= MAX_KEYTERM_LENGTH && words <= MAX_KEYTERM_WORDS && !/[\p{Cc}\p{Cs}]/u.test(term))
      continue;
    const limits = `1 to ${MAX_KEYTERM_LENGTH} characters, at most ${MAX_KEYTERM_WORDS} words and no control characters`;
    fail('keyterms', `A keyterm has ${limits}; ${JSON.stringify(term.slice(0, 40))} has ${length} and ${words}.`);
  }
  return terms;
}

function checkedGrammar({ grammar, keyterms }: RecognitionOptions, fail: Fail): string | null {
  if (grammar == null) return null;
  if (keyterms && keyterms.length > 0) fail('grammar', 'Give either "keyterms" or "grammar".');
  if (/(?![\n\r\t])[\p{Cc}\p{Cs}]/u.test(grammar)) fail('grammar', 'A grammar has no control characters.');
  const fault = checkGrammar(grammar);
  if (fault !== null) fail('grammar', fault);
  return grammar;
}
