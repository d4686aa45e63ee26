import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import path from 'node:path';

/** The recognition models of sherpa-onnx that are told apart by their files. */
export type ModelKind = 'whisper' | 'transducer' | 'moonshine' | 'senseVoice' | 'nemoCtc' | 'zipformerCtc';

/** What was found in a model directory; every file as an absolute path. */
export interface ModelFiles {
  kind: ModelKind;
  /** By the names of sherpa-onnx's configuration. */
  files: Readonly<Record<string, string>>;
  tokens: string;
  /** Silero's voice activity model, if there is one. */
  vad: string | null;
  /** What tells speakers apart: both or nothing. */
  diarization: { segmentation: string; embedding: string } | null;
  /** A CT transformer that punctuates. */
  punctuation: string | null;
  /** The folder or file says that it knows English only. */
  englishOnly: boolean;
}

/** What was found, or what is missing, for people. */
export type ModelSearch = { found: ModelFiles } | { missing: string };

/**
 * Looks what kind of model a directory and its direct subfolders hold, by the names that the releases of sherpa-onnx use
 * (k2-fsa.github.io/sherpa/onnx/pretrained_models). Of a file in two sizes the quantized one (`.int8.onnx`) is taken.
 */
export function findModel(directory: string): ModelSearch {
  const all = filesIn(directory);
  if (all === null) return { missing: `The folder of SPEECH_MODEL_DIR cannot be read.` };
  const [extras, rest] = extrasIn(all);
  const model = recognizerIn(directory, rest);
  if ('missing' in model) return model;
  const name = [directory, ...Object.values(model.found.files)].map((file) => path.basename(file)).join(' ');
  return {
    found: { ...model.found, ...extras, englishOnly: /(^|[-_.])en([-_. ]|$)/.test(name) && !/multi|zh/.test(name) },
  };
}

type Recognizer = Pick<ModelFiles, 'kind' | 'files' | 'tokens'>;

function recognizerIn(directory: string, files: readonly string[]): { found: Recognizer } | { missing: string } {
  const tokens = pick(files, /tokens\.txt$/);
  const found = tokens === null ? null : kindOf(directory, files);
  if (found) return { found: { ...found, tokens: tokens! } };
  const here = files.map((file) => path.basename(file)).slice(0, 10);
  const what = tokens === null ? 'no tokens.txt' : 'no complete set of .onnx files';
  return { missing: `SPEECH_MODEL_DIR holds ${what} (found: ${here.join(', ') || 'nothing'}). ${EXPECTED}` };
}

const EXPECTED =
  'Expected: *-encoder.onnx and *-decoder.onnx (Whisper); encoder*, decoder* and joiner*.onnx (transducer); preprocess, encode, ' +
  'cached_decode and uncached_decode*.onnx (Moonshine); or model*.onnx (SenseVoice, NeMo CTC, zipformer CTC); and tokens.txt.';

function kindOf(directory: string, files: readonly string[]): Omit<Recognizer, 'tokens'> | null {
  const onnx = (start: RegExp) => pick(files, new RegExp(`(^|[-_.])(${start.source})[^/]*\\.onnx$`));
  const preprocessor = onnx(/preprocess/);
  const [encoder, decoder, joiner] = [onnx(/encoder/), onnx(/decoder/), onnx(/joiner/)];
  if (encoder && decoder && joiner) return { kind: 'transducer', files: { encoder, decoder, joiner } };
  if (encoder && decoder) return { kind: 'whisper', files: { encoder, decoder } };
  if (preprocessor) return moonshine(files, preprocessor);
  const model = onnx(/model/);
  return model === null ? null : { kind: ctcKind(directory, model), files: { model } };
}

function moonshine(files: readonly string[], preprocessor: string): Omit<Recognizer, 'tokens'> | null {
  const encoder = pick(files, /^encode[^/]*\.onnx$/);
  const uncachedDecoder = pick(files, /^uncached_decode[^/]*\.onnx$/);
  const cachedDecoder = pick(files, /^cached_decode[^/]*\.onnx$/);
  if (!encoder || !uncachedDecoder || !cachedDecoder) return null;
  return { kind: 'moonshine', files: { preprocessor, encoder, uncachedDecoder, cachedDecoder } };
}

/** A single model is named by its folder, or by the metadata at the end of the file, where exporters write `model_type`. */
function ctcKind(directory: string, model: string): 'senseVoice' | 'nemoCtc' | 'zipformerCtc' {
  const says = `${path.basename(directory)} ${path.basename(path.dirname(model))} ${tailOf(model)}`;
  if (/sense[-_]voice/i.test(says)) return 'senseVoice';
  return /nemo|EncDecCTC|EncDecHybrid/.test(says) ? 'nemoCtc' : 'zipformerCtc';
}

const TAIL_BYTES = 64 * 1024;

function tailOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return tail.toString('latin1');
  } finally {
    closeSync(descriptor);
  }
}

type Extras = Pick<ModelFiles, 'vad' | 'diarization' | 'punctuation'>;

/** The models for other purposes, and the files that are none of them. */
function extrasIn(files: readonly string[]): [Extras, string[]] {
  const isOnnx = (file: string) => file.endsWith('.onnx');
  const near = (file: string) => `${path.basename(path.dirname(file))}/${path.basename(file)}`;
  const vad = files.filter((file) => isOnnx(file) && /silero[-_]vad/.test(path.basename(file)));
  const segmentation = files.filter((file) => isOnnx(file) && near(file).includes('segmentation'));
  const embedding = files.filter((file) => isOnnx(file) && EMBEDDING.test(near(file)));
  const punctuation = files.filter((file) => isOnnx(file) && near(file).includes('punct'));
  const used = new Set([...vad, ...segmentation, ...embedding, ...punctuation]);
  const [segments, embeds] = [smallest(segmentation), smallest(embedding)];
  const extras = {
    vad: smallest(vad),
    diarization: segments && embeds ? { segmentation: segments, embedding: embeds } : null,
    punctuation: smallest(punctuation),
  };
  return [extras, files.filter((file) => !used.has(file))];
}

/** Names of speaker embedding models in the releases of sherpa-onnx. */
const EMBEDDING = /embedding|3dspeaker|wespeaker|titanet|speakerverification|speaker[-_]recog|campplus/i;

/** The file whose name, after an optional prefix, matches; the quantized one of two. */
function pick(files: readonly string[], name: RegExp): string | null {
  return smallest(files.filter((file) => name.test(path.basename(file))));
}

function smallest(files: readonly string[]): string | null {
  return files.find((file) => /int8/.test(path.basename(file))) ?? files[0] ?? null;
}

function filesIn(directory: string): string[] | null {
  try {
    const entries = readdirSync(directory, { withFileTypes: true }).sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    const own = entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(directory, entry.name));
    const below = entries
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) =>
        readdirSync(path.join(directory, entry.name))
          .sort()
          .map((name) => path.join(directory, entry.name, name)),
      );
    return [...own, ...below];
  } catch {
    return null;
  }
}
