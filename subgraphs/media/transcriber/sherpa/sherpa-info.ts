import type { TranscriberInfo } from '../transcriber';
import { WHISPER_LANGUAGES } from '../whisper-languages';
import type { ModelFiles, ModelKind } from './model-files';

/** What it can do without knowing a model: nothing. `missing` completes "sherpa-onnx without". */
export function sherpaInfoWithout(missing: string): TranscriberInfo {
  return {
    id: 'sherpa',
    task: 'RECOGNIZE',
    local: true,
    languages: [],
    streaming: false,
    wordTimes: false,
    speakers: false,
    confidence: false,
    grammar: false,
    detectsLanguage: false,
    punctuation: false,
    maxKeyterms: 0,
    pieces: null,
    quality: `sherpa-onnx without ${missing}.`,
  };
}

/** Pieces of a minute lose little when an attempt breaks off, and keep several processes busy. */
const IDEAL_PIECE_MS = 60_000;
const MAX_PIECE_MS = 120_000;

const KINDS: Record<ModelKind, { name: string; wordTimes: boolean; punctuation: boolean }> = {
  // Whisper's decoders tell times only when they were exported with their attention, which the files do not show.
  whisper: { name: 'a Whisper model', wordTimes: false, punctuation: true },
  transducer: { name: 'a transducer model', wordTimes: true, punctuation: false },
  moonshine: { name: 'a Moonshine model', wordTimes: false, punctuation: true },
  senseVoice: { name: 'a SenseVoice model', wordTimes: true, punctuation: true },
  nemoCtc: { name: 'a NeMo CTC model', wordTimes: true, punctuation: false },
  zipformerCtc: { name: 'a zipformer CTC model', wordTimes: true, punctuation: false },
};

/** What the models that were found can do. */
export function sherpaInfo(
  found: ModelFiles,
  settings: { languages: readonly string[] },
  maxProcesses: number,
): TranscriberInfo {
  const { name, wordTimes, punctuation } = KINDS[found.kind];
  const languages = settings.languages.length > 0 ? settings.languages : languagesOf(found);
  return {
    ...sherpaInfoWithout('a model'),
    languages,
    wordTimes,
    speakers: found.diarization !== null,
    detectsLanguage: languages.length > 1 && (found.kind === 'whisper' || found.kind === 'senseVoice'),
    punctuation: punctuation || found.punctuation !== null,
    pieces: { idealMs: IDEAL_PIECE_MS, maxMs: MAX_PIECE_MS, parallel: maxProcesses },
    quality: `As good as ${name} in the folder of SPEECH_MODEL_DIR; not measured here.`,
  };
}

function languagesOf({ kind, englishOnly }: ModelFiles): readonly string[] {
  if (englishOnly) return ['en'];
  if (kind === 'whisper') return WHISPER_LANGUAGES;
  return kind === 'senseVoice' ? ['zh', 'en', 'ja', 'ko', 'yue'] : ['en'];
}
