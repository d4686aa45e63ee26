import { goldenSpeechMissing } from '../../../../platform/testing/golden-speech';
import { programMissing } from '../../../../platform/testing/installed';
import { createPocketSphinx } from '../pocketsphinx/pocketsphinx';
import { createDeepgram } from '../remote/deepgram';
import { createOpenAi } from '../remote/openai';
import { DEEPGRAM_KEY, openDeepgramPeer } from '../remote/testing/deepgram-peer';
import { hearWith } from '../remote/testing/hear';
import { OPENAI_KEY, openOpenAiPeer, type OpenAiDialect } from '../remote/testing/openai-peer';
import type { Peer } from '../remote/testing/peer';
import { describeTranscriber } from './describe-transcriber';

// The golden recording takes PocketSphinx 5 s of CPU, and several times that on a machine that does other work.
jest.setTimeout(240_000);

const missing = programMissing('ffmpeg', 'ffmpeg') ?? goldenSpeechMissing();
const pocketSphinx = createPocketSphinx({ maxDecoders: 2 });
/** The servers hear with PocketSphinx, so what it hears of the audio they were sent shows that it arrived whole. */
const hear = hearWith(pocketSphinx);

afterAll(() => pocketSphinx[Symbol.asyncDispose]());

describe.each<[OpenAiDialect, boolean]>([
  ['openai', true],
  ['faster-whisper', true],
  ['whisper.cpp', true],
  ['segments only', false],
])('a server that answers like %s', (dialect, wordTimes) => {
  let peer: Peer;
  describeTranscriber('the OpenAI protocol', {
    missing,
    open: async () => {
      peer = await openOpenAiPeer(hear, dialect);
      return createOpenAi({
        url: `${peer.url}/v1`,
        apiKey: OPENAI_KEY,
        model: 'whisper-1',
        wordTimes,
        languages: ['en', 'sw'],
        pieces: { idealMs: 60_000, maxMs: 90_000, parallel: 2 },
        timeoutMs: 200_000,
      });
    },
    maxWordErrorRate: 0.02,
    unservedLanguage: 'zu',
    after: () => expect(peer.breaches).toEqual([]),
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());
});

describe('Deepgram', () => {
  let peer: Peer;
  describeTranscriber('the Deepgram protocol', {
    missing,
    open: async () => {
      peer = await openDeepgramPeer(hear);
      return createDeepgram({ url: peer.url, apiKey: DEEPGRAM_KEY, model: 'nova-3', timeoutMs: 200_000 });
    },
    maxWordErrorRate: 0.02,
    unservedLanguage: 'zu',
    after: () => expect(peer.breaches).toEqual([]),
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());
});
