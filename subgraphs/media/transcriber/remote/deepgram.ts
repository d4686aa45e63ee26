import { Agent } from 'undici';
import { untilAborted } from '../abort';
import { refuseUnsupported } from '../refuse-unsupported';
import { type RecognizedSegment, type TranscribeOptions, type Transcriber, type TranscriberInfo } from '../transcriber';
import { readDeepgramAnswer } from './deepgram-answer';
import { DEEPGRAM_LANGUAGES, deepgramCode } from './deepgram-languages';
import { callRemote, type RemoteService } from './remote-call';
import { probeRemote } from './remote-probe';
import { ReplayableAudio } from './replayable-audio';
import { wavHeader } from '../wav';

export interface DeepgramSettings {
  /** Which of its regions; audio stays there. */
  url: string;
  apiKey: string;
  model: string;
  /** Longest silence of one attempt; Deepgram itself gives up after 10 minutes (its docs, "Maximum processing time"). */
  timeoutMs: number;
}

/** What people call it, and where it is set up. */
export const DEEPGRAM = {
  name: 'Deepgram',
  variables: { url: 'DEEPGRAM_URL', key: 'DEEPGRAM_API_KEY', model: 'DEEPGRAM_MODEL' },
};

/** Up to 100 terms (developers.deepgram.com, Keyterm Prompting). */
const MAX_KEYTERMS = 100;
const BYTES_PER_MS = 32;

/** What the engine declares with this model. */
export function deepgramInfo({ model }: Pick<DeepgramSettings, 'model'>): TranscriberInfo {
  return {
    id: 'deepgram',
    task: 'RECOGNIZE',
    local: false,
    languages: DEEPGRAM_LANGUAGES,
    streaming: true,
    wordTimes: true,
    speakers: true,
    confidence: true,
    grammar: false,
    detectsLanguage: true,
    punctuation: true,
    maxKeyterms: MAX_KEYTERMS,
    pieces: null,
    quality: `A service of Deepgram Inc. with its model "${model}", for meetings and telephones too; not measured here.`,
    version: model,
  };
}

/**
 * Deepgram's `POST /v1/listen`. A recording is one call, sent as a WAV stream while it is decoded; should another attempt be
 * needed, it is sent again from a file without a name. The agent's connections are closed on disposal.
 */
export function createDeepgram(settings: DeepgramSettings, options: Pick<RemoteService, 'wait'> = {}): Transcriber {
  const info = deepgramInfo(settings);
  const dispatcher = new Agent({ connect: { timeout: 10_000 } });
  const service: RemoteService = { ...options, ...DEEPGRAM, timeoutMs: settings.timeoutMs, dispatcher };
  const headers = deepgramHeaders(settings);
  return {
    info,
    // Says whether a key is good, whatever it may do (developers.deepgram.com, Authenticating).
    probe: () => probeRemote(service, { url: deepgramAddress(settings, 'auth/token'), headers }),
    transcribe: (pcm, callOptions) => transcribe({ info, settings, service, headers }, pcm, callOptions),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

/** Where one of its resources is. */
export function deepgramAddress({ url }: Pick<DeepgramSettings, 'url'>, path: string): URL {
  return new URL(`${url.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/${path}`);
}

/** What every call to it says of itself. */
export function deepgramHeaders({ apiKey }: Pick<DeepgramSettings, 'apiKey'>): { authorization: string } {
  return { authorization: `Token ${apiKey}` };
}

interface Deepgram {
  info: TranscriberInfo;
  settings: DeepgramSettings;
  service: RemoteService;
  headers: Record<string, string>;
}

async function* transcribe(
  { info, settings, service, headers }: Deepgram,
  pcm: AsyncIterable<Int16Array>,
  options: TranscribeOptions,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  refuseUnsupported(info, options);
  const { startMs = 0, signal } = options;
  signal.throwIfAborted();
  await using audio = await ReplayableAudio.open(untilAborted(pcm, signal));
  if (!(await audio.begins())) return;
  const request = {
    method: 'POST' as const,
    url: listenAddress(settings, options),
    headers: { ...headers, 'content-type': 'audio/wav' },
    stream: () => wavOf(audio),
    sourceFailure: () => audio.failure,
  };
  const json = await callRemote(service, request, signal);
  const limits = { startMs, endMs: startMs + Math.floor(audio.keptBytes / BYTES_PER_MS) };
  yield* readDeepgramAnswer(json, {
    name: service.name,
    limits,
    language: options.language,
    speakers: options.speakers,
  });
}

async function* wavOf(audio: ReplayableAudio): AsyncGenerator<Buffer, void, undefined> {
  yield wavHeader(null);
  yield* audio.bytes();
}

function listenAddress(settings: DeepgramSettings, options: TranscribeOptions): URL {
  const { language, languages = [], vocabulary, speakers } = options;
  const url = deepgramAddress(settings, 'listen');
  const query = url.searchParams;
  query.set('model', settings.model);
  query.set('punctuate', 'true');
  query.set('utterances', 'true');
  if (speakers) query.set('diarize', 'true');
  if (language !== undefined) query.set('language', deepgramCode(language));
  else if (languages.length === 0) query.set('detect_language', 'true');
  // Several values restrict what is detected (developers.deepgram.com, Language Detection).
  else for (const allowed of languages) query.append('detect_language', deepgramCode(allowed));
  for (const term of vocabulary?.keyterms ?? []) query.append('keyterm', term);
  return url;
}
