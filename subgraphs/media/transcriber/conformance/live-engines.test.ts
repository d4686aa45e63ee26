import { goldenSpeechMissing } from '../../../../platform/testing/golden-speech';
import { programMissing } from '../../../../platform/testing/installed';
import { createLivePocketSphinx } from '../pocketsphinx/live';
import { pocketSphinxMissing } from '../pocketsphinx/testing';
import { describeLiveEngine } from './describe-live-engine';

// A third of the golden recording is heard several times, 2 s of CPU each, and much slower on a machine that does other work.
jest.setTimeout(240_000);

describeLiveEngine('PocketSphinx', {
  missing: programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing(),
  open: async () => createLivePocketSphinx(),
  maxGuessErrorRate: 0.15,
  unservedLanguage: 'sw',
});
