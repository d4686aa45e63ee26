import { goldenSpeechMissing } from '../../../../platform/testing/golden-speech';
import { programMissing } from '../../../../platform/testing/installed';
import { createLivePocketSphinx } from '../pocketsphinx/live';
import { pocketSphinxMissing } from '../pocketsphinx/testing';
import { createLiveDeepgram } from '../remote/deepgram-live';
import { DEEPGRAM_KEY } from '../remote/testing/deepgram-peer';
import { LiveDeepgramPeer } from '../remote/testing/live-deepgram-peer';
import { describeLiveEngine } from './describe-live-engine';

// A third of the golden recording is heard several times, 2 s of CPU each, and much slower on a machine that does other work.
jest.setTimeout(240_000);

describeLiveEngine('PocketSphinx', {
  missing: programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing(),
  open: async () => createLivePocketSphinx(),
  maxGuessErrorRate: 0.15,
  unservedLanguage: 'sw',
});

describe('Deepgram', () => {
  let peer: LiveDeepgramPeer;
  // The server takes sounds for words and names each by its sound, so it tells whether the audio has arrived whole.
  describeLiveEngine('the live protocol of Deepgram', {
    missing: programMissing('ffmpeg', 'ffmpeg') ?? goldenSpeechMissing(),
    open: async () => {
      peer = await LiveDeepgramPeer.open();
      return createLiveDeepgram({ url: peer.url, apiKey: DEEPGRAM_KEY, model: 'nova-3', timeoutMs: 1 });
    },
    maxGuessErrorRate: null,
    guessesLater: true,
    unservedLanguage: 'zu',
    after: () => expect(peer.breaches).toEqual([]),
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());
});
