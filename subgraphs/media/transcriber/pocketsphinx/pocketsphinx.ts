import type { Logger } from '../../../../platform/logger';
import { orAborted } from '../../../../platform/or-aborted';
import { untilAborted } from '../abort';
import { Pool } from '../pool';
import { refuseUnsupported } from '../refuse-unsupported';
import {
  type Probe,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
  type TranscriberInfo,
} from '../transcriber';
import { DecoderProcess } from './decoder-process';
import { findPocketSphinx, type Installation, type InstallationOptions } from './installation';
import { toSegment } from './text';
import { voiceEvents } from '../voice-activity';
import { UtteranceRecognizer } from './utterances';
import { Vocabularies } from './vocabulary/vocabularies';

export interface PocketSphinxOptions extends InstallationOptions {
  /** How many recordings are recognised at once, each on one core with about 140 MB; default 1. More callers wait. */
  maxDecoders?: number;
  /** How long a decoder that nobody uses is kept, in milliseconds; default a minute. */
  idleMs?: number;
  /** Is told which words of a vocabulary had to be left out. */
  logger?: Logger;
  /** Name or path of espeak-ng, which knows how words are said that the dictionary lacks. */
  espeak?: string;
}

export const POCKETSPHINX_INFO: Omit<TranscriberInfo, 'pieces'> = {
  id: 'pocketsphinx',
  task: 'RECOGNIZE',
  local: true,
  languages: ['en-US'],
  streaming: true,
  wordTimes: true,
  speakers: false,
  confidence: true,
  grammar: true,
  detectsLanguage: false,
  punctuation: false,
  maxKeyterms: 1_000,
  quality:
    'US English, clean close speech only: about one word in four wrong on short prompts; noise or telephones make it useless.',
  version: '5prealpha',
};

/**
 * A piece begins without having heard the speaker before: in pieces of 20 to 60 s, one to two words in a hundred more are
 * wrong than in one go (549 words of short prompts). Between these lengths there was no difference that counts; shorter
 * ones lose less when an attempt breaks off.
 */
const PIECES = { idealMs: 30_000, maxMs: 60_000 };
/**
 * PocketSphinx with Debian's US English model. Word errors as measured on clean speech at 16 kHz: 1.4 % on the golden
 * announcements, about 26 % on 2,877 words of short prompts, 27 to 30 % on an audiobook; with the speaker's own sentences
 * as keyterms a third fewer. No punctuation inside a sentence; about 0.15 s of CPU per second of speech and nearly none
 * for silence. Opens nothing before the first call; its processes are kept for the next recording, for a minute.
 *
 * `transcribe` throws InvalidVocabularyError for a grammar that `checkGrammar` refuses or that names a word nobody knows
 * how to say.
 */
export function createPocketSphinx(options: PocketSphinxOptions = {}): Transcriber {
  const installation = (): Installation => findPocketSphinx(options);
  const parallel = options.maxDecoders ?? 1;
  const pool = new Pool({
    limit: parallel,
    open: async () => DecoderProcess.open(installation(), 'recognition'),
    ...(options.idleMs != null && { idleMs: options.idleMs }),
  });
  const vocabularies = new Vocabularies(options);
  return {
    info: { ...POCKETSPHINX_INFO, pieces: { ...PIECES, parallel } },
    probe: () => probe(installation),
    transcribe: (pcm, callOptions) => transcribe({ pool, vocabularies }, pcm, callOptions),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

async function probe(installation: () => Installation): Promise<Probe> {
  try {
    await DecoderProcess.check(installation());
    return { available: true };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function* transcribe(
  { pool, vocabularies }: { pool: Pool<DecoderProcess>; vocabularies: Vocabularies },
  pcm: AsyncIterable<Int16Array>,
  options: TranscribeOptions,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  refuseUnsupported(POCKETSPHINX_INFO, options);
  const { vocabulary, startMs = 0, signal } = options;
  using loan = await pool.acquire(signal);
  const decoder = loan.resource;
  const expected = vocabulary && (await vocabularies.prepare(vocabulary, { decoder, signal }));
  await orAborted(decoder.use(expected?.decoder ?? null), signal);
  const recognizer = new UtteranceRecognizer(decoder, { startMs, signal });
  let index = 0;
  for await (const event of voiceEvents(untilAborted(pcm, signal))) {
    const tokens = await recognizer.take(event);
    const place = {
      index,
      language: POCKETSPHINX_INFO.languages[0]!,
      ...(expected && { spellings: expected.spellings }),
    };
    const segment = tokens && toSegment(tokens, place);
    if (!segment) continue;
    index++;
    yield segment;
  }
}
