import { joinedSamples } from '../joined-samples';
import { Agent, FormData } from 'undici';
import { untilAborted } from '../abort';
import { refuseUnsupported } from '../refuse-unsupported';
import {
  PCM_SAMPLE_RATE_HZ,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
  type TranscriberInfo,
} from '../transcriber';
import { VoiceActivity } from '../voice-activity';
import { whisperCode } from '../whisper-languages';
import { readOpenAiAnswer, type HeardPiece } from './openai-answer';
import { MAX_PIECE_MS, openAiInfo, type OpenAiSettings } from './openai-settings';
import { callRemote, type RemoteService } from './remote-call';
import { probeRemote } from './remote-probe';
import { pcmBytes, wavHeader } from '../wav';

/** Shorter audio is refused by OpenAI (error `audio_too_short`). */
const MIN_PIECE_MS = 100;
/** About 224 tokens, of which a prompt holds no more; a token is three to four letters of a name. */
const MAX_PROMPT_LENGTH = 700;

/**
 * A server with OpenAI's `POST /v1/audio/transcriptions`: OpenAI itself, speaches, whisper.cpp's server (started with
 * `--inference-path /v1/audio/transcriptions`) and others. A piece of audio is one call, sent as WAV; one in which nothing
 * is heard is not sent, because Whisper invents words in silence. `languages` without `language`: what is detected
 * outside of them is recognized again as the first of them. The agent's connections are closed on disposal.
 */
export function createOpenAi(settings: OpenAiSettings, options: Pick<RemoteService, 'wait'> = {}): Transcriber {
  const info = openAiInfo(settings);
  const dispatcher = new Agent({ connect: { timeout: 10_000 } });
  const service: RemoteService = {
    ...options,
    name: 'The OpenAI-compatible server',
    variables: { url: 'OPENAI_SPEECH_URL', key: 'OPENAI_SPEECH_API_KEY', model: 'OPENAI_SPEECH_MODEL' },
    timeoutMs: settings.timeoutMs,
    dispatcher,
  };
  const server = new OpenAiServer(settings, service);
  return {
    info,
    probe: () => probeRemote(service, { url: server.address('models'), headers: server.headers }),
    transcribe: (pcm, callOptions) => transcribe(info, server, pcm, callOptions),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

async function* transcribe(
  info: TranscriberInfo,
  server: OpenAiServer,
  pcm: AsyncIterable<Int16Array>,
  options: TranscribeOptions,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  refuseUnsupported(info, options);
  options.signal.throwIfAborted();
  let index = 0;
  let startMs = options.startMs ?? 0;
  for await (const piece of takenIn(untilAborted(pcm, options.signal), MAX_PIECE_MS * (PCM_SAMPLE_RATE_HZ / 1_000))) {
    const limits = { startMs, endMs: startMs + Math.floor(piece.length / (PCM_SAMPLE_RATE_HZ / 1_000)) };
    startMs = limits.endMs;
    if (!isWorthSending(piece)) continue;
    const { language, segments } = await server.hear(piece, limits, options);
    for (const segment of segments) yield { ...segment, index: index++, language: language ?? 'und' };
  }
}

class OpenAiServer {
  readonly headers: Record<string, string>;
  readonly #base: string;

  constructor(
    private readonly settings: OpenAiSettings,
    private readonly service: RemoteService,
  ) {
    this.#base = settings.url.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.headers = settings.apiKey === null ? {} : { authorization: `Bearer ${settings.apiKey}` };
  }

  address(path: string): URL {
    return new URL(`${this.#base}/v1/${path}`);
  }

  /** Recognizes one piece; the language is the one asked for, or the one detected. */
  async hear(
    piece: Int16Array,
    limits: { startMs: number; endMs: number },
    { language, languages = [], vocabulary, signal }: TranscribeOptions,
  ): Promise<HeardPiece> {
    const prompt = promptOf(vocabulary?.keyterms ?? []);
    const call = async (spoken: string | undefined): Promise<HeardPiece> => {
      const request = {
        method: 'POST' as const,
        url: this.address('audio/transcriptions'),
        headers: this.headers,
        form: () => this.#form(piece, spoken, prompt),
      };
      const json = await callRemote(this.service, request, signal);
      const { name } = this.service;
      const heard = readOpenAiAnswer(json, { name, limits, wordTimes: this.settings.wordTimes });
      return spoken === undefined ? heard : { ...heard, language: spoken };
    };
    const spoken = language ?? (languages.length === 1 ? languages[0] : undefined) ?? this.#onlyLanguage();
    const heard = await call(spoken);
    const isAllowed = languages.length === 0 || languages.some((allowed) => sameLanguage(allowed, heard.language));
    return spoken !== undefined || isAllowed ? heard : call(languages[0]);
  }

  #onlyLanguage(): string | undefined {
    const { languages } = this.settings;
    return languages.length === 1 ? languages[0] : undefined;
  }

  #form(piece: Int16Array, language: string | undefined, prompt: string): FormData {
    const form = new FormData();
    const wav = new Blob([wavHeader(piece.byteLength), pcmBytes(piece)], { type: 'audio/wav' });
    form.append('file', wav, 'speech.wav');
    form.append('model', this.settings.model);
    form.append('response_format', 'verbose_json');
    form.append('timestamp_granularities[]', 'segment');
    if (this.settings.wordTimes) form.append('timestamp_granularities[]', 'word');
    if (language !== undefined) form.append('language', whisperCode(language));
    if (prompt !== '') form.append('prompt', prompt);
    return form;
  }
}

/** A prompt is text that came before: the terms in a row. Those that come first are sure of a place. */
function promptOf(keyterms: readonly string[]): string {
  let prompt = '';
  for (const term of keyterms) {
    const longer = prompt === '' ? term : `${prompt}, ${term}`;
    if (longer.length <= MAX_PROMPT_LENGTH) prompt = longer;
  }
  return prompt;
}

function sameLanguage(allowed: string, heard: string | null): boolean {
  return heard !== null && whisperCode(allowed) === whisperCode(heard);
}

function isWorthSending(piece: Int16Array): boolean {
  if (piece.length < MIN_PIECE_MS * (PCM_SAMPLE_RATE_HZ / 1_000)) return false;
  const voice = new VoiceActivity();
  return [...voice.push(piece), ...voice.finish()].length > 0;
}

/** The audio in pieces of at most that length; a caller that obeys `info.pieces` gives one. */
async function* takenIn(pcm: AsyncIterable<Int16Array>, maxSamples: number): AsyncGenerator<Int16Array> {
  let parts: Int16Array[] = [];
  let length = 0;
  for await (const samples of pcm) {
    for (let from = 0; from < samples.length;) {
      const part = samples.subarray(from, from + maxSamples - length);
      parts.push(part);
      length += part.length;
      from += part.length;
      if (length < maxSamples) continue;
      yield joinedSamples(parts);
      [parts, length] = [[], 0];
    }
  }
  if (length > 0) yield joinedSamples(parts);
}
