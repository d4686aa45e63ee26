import { PCM_SAMPLE_RATE_HZ, type PieceRule, type TranscriberInfo } from '../transcriber';

/** Where a server that speaks OpenAI's transcription protocol is, and what it can do. */
export interface OpenAiSettings {
  /** Its address, with or without the `/v1` at the end. */
  url: string;
  apiKey: string | null;
  model: string;
  /** Whether it gives the times of words. Some give those of segments only; then words share out their segment's time. */
  wordTimes: boolean;
  /** BCP 47 tags. */
  languages: readonly string[];
  pieces: PieceRule;
  /** Longest silence of one attempt. */
  timeoutMs: number;
}

/** OpenAI takes files of up to 25 MB (platform.openai.com, Speech to text); the rest of the form is small. */
export const MAX_PIECE_MS = Math.floor((24 * 1024 * 1024) / (PCM_SAMPLE_RATE_HZ * 2)) * 1_000;

/**
 * A prompt is cut to its last 224 tokens (same source): room for about this many names. Longer terms take the place of
 * others, see `promptOf`.
 */
const MAX_KEYTERMS = 40;

/** What the engine declares with these settings. */
export function openAiInfo(settings: OpenAiSettings): TranscriberInfo {
  return {
    id: 'openai',
    task: 'RECOGNIZE',
    local: isThisMachine(new URL(settings.url)),
    languages: settings.languages,
    streaming: false,
    wordTimes: settings.wordTimes,
    speakers: false,
    confidence: true,
    grammar: false,
    detectsLanguage: settings.languages.length > 1,
    punctuation: true,
    maxKeyterms: MAX_KEYTERMS,
    pieces: settings.pieces,
    quality: `As good as the model behind it, "${settings.model}"; not measured here. Whisper models may invent words where nobody speaks.`,
    version: settings.model,
  };
}

function isThisMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
