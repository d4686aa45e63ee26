import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findModel } from './model-files';
import { sherpaInfo } from './sherpa-info';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-model-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with such files; each has its text as content. */
function holding(name: string, files: string[], content = ''): string {
  const directory = path.join(folder, name);
  for (const file of files) {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), content);
  }
  return directory;
}

function found(directory: string) {
  const search = findModel(directory);
  if ('missing' in search) throw new Error(search.missing);
  const { kind, files, tokens, ...rest } = search.found;
  const relative = (file: string) => path.relative(directory, file);
  return {
    kind,
    files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, relative(file)])),
    tokens: relative(tokens),
    rest,
    info: sherpaInfo(search.found, { languages: [] }, 2),
  };
}

test('Whisper: the quantized files of two sizes; a name with .en is English only', () => {
  const names = (size: string) =>
    ['encoder', 'decoder'].flatMap((part) => [`${size}-${part}.onnx`, `${size}-${part}.int8.onnx`]);
  const english = found(holding('sherpa-onnx-whisper-tiny.en', [...names('tiny.en'), 'tiny.en-tokens.txt']));
  expect(english).toMatchObject({
    kind: 'whisper',
    files: { encoder: 'tiny.en-encoder.int8.onnx', decoder: 'tiny.en-decoder.int8.onnx' },
    tokens: 'tiny.en-tokens.txt',
    info: { languages: ['en'], detectsLanguage: false, punctuation: true, wordTimes: false },
  });
  const multilingual = found(holding('sherpa-onnx-whisper-small', [...names('small'), 'small-tokens.txt']));
  expect(multilingual.info).toMatchObject({ detectsLanguage: true });
  expect(multilingual.info.languages).toContain('sw');
});

test('a transducer has a joiner; its language comes from its name', () => {
  const files = [
    'encoder-epoch-99-avg-1.onnx',
    'decoder-epoch-99-avg-1.onnx',
    'joiner-epoch-99-avg-1.onnx',
    'tokens.txt',
  ];
  expect(found(holding('sherpa-onnx-zipformer-en-2023-06-26', files))).toMatchObject({
    kind: 'transducer',
    files: { encoder: files[0], decoder: files[1], joiner: files[2] },
    info: { languages: ['en'], wordTimes: true, punctuation: false, speakers: false },
  });
});

test('Moonshine has four parts', () => {
  const files = [
    'preprocess.onnx',
    'encode.int8.onnx',
    'uncached_decode.int8.onnx',
    'cached_decode.int8.onnx',
    'tokens.txt',
  ];
  expect(found(holding('sherpa-onnx-moonshine-tiny-en-int8', files))).toMatchObject({
    kind: 'moonshine',
    files: { preprocessor: files[0], encoder: files[1], uncachedDecoder: files[2], cachedDecoder: files[3] },
  });
});

test('a single model is known by its folder or by its metadata', () => {
  const files = ['model.int8.onnx', 'tokens.txt'];
  const kindOf = (name: string, content?: string) => found(holding(name, files, content)).kind;
  expect(kindOf('sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17')).toBe('senseVoice');
  expect(kindOf('sherpa-onnx-nemo-ctc-en-conformer-small')).toBe('nemoCtc');
  expect(kindOf('sherpa-onnx-zipformer-ctc-zh-int8')).toBe('zipformerCtc');
  expect(kindOf('mine', 'graph… model_type sense_voice_ctc')).toBe('senseVoice');
  expect(kindOf('ours', 'graph… model_type EncDecCTCModelBPE')).toBe('nemoCtc');
});

test('models for voice activity, speakers and punctuation lie beside it or in folders of their own', () => {
  const directory = holding('all', [
    'model.onnx',
    'tokens.txt',
    'silero_vad.onnx',
    'sherpa-onnx-pyannote-segmentation-3-0/model.onnx',
    '3dspeaker_speech_eres2net_base_sv_zh-cn_3dspeaker_16k.onnx',
    'sherpa-onnx-punct-ct-transformer-zh-en/model.onnx',
  ]);
  const { files, rest, info } = found(directory);
  expect(files).toEqual({ model: 'model.onnx' });
  expect(rest).toMatchObject({
    vad: path.join(directory, 'silero_vad.onnx'),
    diarization: {
      segmentation: path.join(directory, 'sherpa-onnx-pyannote-segmentation-3-0/model.onnx'),
      embedding: path.join(directory, '3dspeaker_speech_eres2net_base_sv_zh-cn_3dspeaker_16k.onnx'),
    },
    punctuation: path.join(directory, 'sherpa-onnx-punct-ct-transformer-zh-en/model.onnx'),
  });
  expect(info).toMatchObject({ speakers: true, punctuation: true });
});

test('one of the two models for speakers is not enough', () => {
  expect(found(holding('half', ['model.onnx', 'tokens.txt', 'segmentation.onnx'])).info.speakers).toBe(false);
});

test.each([
  ['nothing', [], 'no tokens.txt (found: nothing)'],
  ['no tokens', ['model.onnx'], 'no tokens.txt (found: model.onnx)'],
  ['half a Whisper', ['tiny-encoder.onnx', 'tiny-tokens.txt'], 'no complete set of .onnx files'],
  ['other files', ['readme.md', 'tokens.txt'], 'Expected: *-encoder.onnx and *-decoder.onnx (Whisper)'],
])('%s: says what is missing', (name, files, said) => {
  mkdirSync(path.join(folder, name), { recursive: true });
  expect(findModel(holding(name, files))).toEqual({ missing: expect.stringContaining(said) });
});

test('a folder that is not there', () => {
  expect(findModel(path.join(folder, 'nowhere'))).toEqual({ missing: expect.stringContaining('cannot be read') });
});
