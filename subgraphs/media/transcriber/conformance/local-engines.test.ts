import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { goldenSpeechMissing } from '../../../../platform/testing/golden-speech';
import { programMissing } from '../../../../platform/testing/installed';
import { createPocketSphinx } from '../pocketsphinx/pocketsphinx';
import { createSherpa } from '../sherpa/sherpa';
import { writeSoundModel } from '../sherpa/sound-model.testing';
import { describeTranscriber } from './describe-transcriber';

// The golden recording takes PocketSphinx 5 s of CPU, and several times that on a machine that does other work.
jest.setTimeout(240_000);

const missing = programMissing('ffmpeg', 'ffmpeg') ?? goldenSpeechMissing();
const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-conformance-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeTranscriber('PocketSphinx', {
  missing,
  open: async () => createPocketSphinx({ maxDecoders: 2 }),
  maxWordErrorRate: 0.02,
  unservedLanguage: 'sw',
});

describeTranscriber('sherpa-onnx with a model that hears whether there is sound', {
  missing,
  open: async () => {
    writeSoundModel(folder);
    return createSherpa({ directory: folder, languages: ['en'], threads: 1 }, { maxProcesses: 2 });
  },
  maxWordErrorRate: null,
  unservedLanguage: 'sw',
});
