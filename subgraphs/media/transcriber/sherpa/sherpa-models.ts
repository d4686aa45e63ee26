import { PCM_SAMPLE_RATE_HZ } from '../transcriber';
import { whisperCode } from '../whisper-languages';
import type { ModelFiles } from './model-files';

/** Configurations in sherpa-onnx's words (its `types.js`), each for one of its classes. */
export interface SherpaModels {
  recognizer: object;
  vad: object | null;
  punctuation: object | null;
  diarization: object | null;
}

/** Features of all these models but Whisper's, which the library makes by itself. */
const FEATURES = { sampleRate: PCM_SAMPLE_RATE_HZ, featureDim: 80 };

/** The configuration for what was found in a model directory. */
export function modelsOf(found: ModelFiles, numThreads: number): SherpaModels {
  const { vad, punctuation, diarization } = found;
  return {
    recognizer: recognizerOf(found, numThreads, undefined),
    vad: vad === null ? null : { sileroVad: { ...SILERO, model: vad }, sampleRate: PCM_SAMPLE_RATE_HZ, numThreads: 1 },
    punctuation: punctuation === null ? null : { model: { ctTransformer: punctuation, numThreads } },
    diarization: diarization && {
      segmentation: { pyannote: { model: diarization.segmentation }, numThreads },
      embedding: { model: diarization.embedding, numThreads },
      clustering: CLUSTERING,
      minDurationOn: 0.2,
      minDurationOff: 0.5,
    },
  };
}

/** What the recognizer is configured with for a language; without one it detects it, where it can. */
export function recognizerOf(
  { kind, files, tokens }: ModelFiles,
  numThreads: number,
  language: string | undefined,
): object {
  const options = {
    whisper: { language: language === undefined ? '' : whisperCode(language), task: 'transcribe' },
    senseVoice: { language: language === undefined ? 'auto' : whisperCode(language), useInverseTextNormalization: 1 },
    transducer: {},
    moonshine: {},
    nemoCtc: {},
    zipformerCtc: {},
  }[kind];
  const modelConfig = { [kind]: { ...files, ...options }, tokens, numThreads, provider: 'cpu', debug: 0 };
  return { featConfig: FEATURES, modelConfig };
}

/** Silero's window at 16 kHz is 512 samples. An utterance must fit into Whisper's 30 s. */
const SILERO = {
  threshold: 0.5,
  minSilenceDuration: 0.5,
  minSpeechDuration: 0.1,
  maxSpeechDuration: 20,
  windowSize: 512,
};

/** Without a number of speakers, voices this much alike are one (the library's own example). */
export const CLUSTERING = { numClusters: -1, threshold: 0.5 };
