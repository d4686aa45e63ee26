import path from 'node:path';
import type { EnvironmentReader } from '../../platform/environment';
import type { DeepgramSettings } from './transcriber/remote/deepgram';
import { MAX_PIECE_MS, type OpenAiSettings } from './transcriber/remote/openai-settings';
import type { SherpaSettings } from './transcriber/sherpa/sherpa';
import { WHISPER_LANGUAGES } from './transcriber/whisper-languages';

/** Every engine there is an adapter for, best first: what a default order follows. */
export const ENGINE_IDS = ['deepgram', 'openai', 'sherpa', 'pocketsphinx'] as const;

export type EngineId = (typeof ENGINE_IDS)[number];

/** Which speech engines this installation uses; null where the environment says nothing of one. */
export interface SpeechSettings {
  /** In order of preference, each once. */
  order: readonly EngineId[];
  deepgram: DeepgramSettings | null;
  openai: OpenAiSettings | null;
  sherpa: SherpaSettings | null;
}

/** Reads the variables of the speech engines; see docs/operations.md for the list. Faults are collected by the reader. */
export function readSpeechSettings(reader: EnvironmentReader): SpeechSettings {
  const deepgram = readDeepgram(reader);
  const openai = readOpenAi(reader);
  const sherpa = readSherpa(reader);
  const configured: Record<EngineId, boolean> = {
    deepgram: deepgram !== null,
    openai: openai !== null,
    sherpa: sherpa !== null,
    pocketsphinx: true,
  };
  const wanted = readOrder(reader);
  const order = wanted.length > 0 ? wanted : ENGINE_IDS.filter((id) => configured[id]);
  return { order, deepgram, openai, sherpa };
}

function readOrder(reader: EnvironmentReader): EngineId[] {
  const isKnown = (id: string): id is EngineId => (ENGINE_IDS as readonly string[]).includes(id);
  const named = reader.list('SPEECH_ENGINES');
  for (const id of named.filter((name) => !isKnown(name)))
    reader.fault(`SPEECH_ENGINES may name ${ENGINE_IDS.join(', ')}; it has "${id}".`);
  return [...new Set(named.filter(isKnown))];
}

function readDeepgram(reader: EnvironmentReader): DeepgramSettings | null {
  const apiKey = reader.text('DEEPGRAM_API_KEY');
  const url = reader.url('DEEPGRAM_URL', ['https:', 'http:']) ?? 'https://api.deepgram.com';
  const timeoutMs = reader.wholeNumber('DEEPGRAM_TIMEOUT_SECONDS', 900, { min: 10, max: 7_200 }) * 1_000;
  return apiKey === null ? null : { url, apiKey, model: reader.text('DEEPGRAM_MODEL') ?? 'nova-3', timeoutMs };
}

function readOpenAi(reader: EnvironmentReader): OpenAiSettings | null {
  const url = reader.url('OPENAI_SPEECH_URL', ['https:', 'http:']);
  const apiKey = reader.text('OPENAI_SPEECH_API_KEY');
  const languages = readLanguages(reader, 'OPENAI_SPEECH_LANGUAGES');
  const idealSeconds = reader.wholeNumber('OPENAI_SPEECH_PIECE_SECONDS', 60, { min: 10, max: 600 });
  const settings = {
    url: url ?? 'https://api.openai.com',
    apiKey,
    model: reader.text('OPENAI_SPEECH_MODEL') ?? 'whisper-1',
    wordTimes: reader.oneOf('OPENAI_SPEECH_WORD_TIMES', ['true', 'false'], 'true') === 'true',
    languages: languages.length > 0 ? languages : WHISPER_LANGUAGES,
    pieces: {
      idealMs: idealSeconds * 1_000,
      maxMs: Math.min(MAX_PIECE_MS, idealSeconds * 1_500),
      parallel: reader.wholeNumber('OPENAI_SPEECH_PARALLEL', 4, { min: 1, max: 64 }),
    },
    timeoutMs: reader.wholeNumber('OPENAI_SPEECH_TIMEOUT_SECONDS', 300, { min: 10, max: 7_200 }) * 1_000,
  };
  return url === null && apiKey === null ? null : settings;
}

function readSherpa(reader: EnvironmentReader): SherpaSettings | null {
  const directory = reader.text('SPEECH_MODEL_DIR');
  const languages = readLanguages(reader, 'SPEECH_MODEL_LANGUAGES');
  const threads = reader.wholeNumber('SPEECH_MODEL_THREADS', 1, { min: 1, max: 64 });
  return directory === null ? null : { directory: path.resolve(directory), languages, threads };
}

function readLanguages(reader: EnvironmentReader, name: string): string[] {
  const tags = reader.list(name);
  for (const tag of tags.filter((candidate) => !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(candidate)))
    reader.fault(`${name} must be BCP 47 tags between commas; it has "${tag}".`);
  return tags;
}
