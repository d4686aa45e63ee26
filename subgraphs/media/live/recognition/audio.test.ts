import { execFile } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { goldenSpeechMissing, wordErrorRate } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import { createLivePocketSphinx } from '../../transcriber/pocketsphinx/live';
import { pocketSphinxMissing } from '../../transcriber/pocketsphinx/testing';
import { soundOf, tonesFor } from '../../transcription/testing';
import { aHost, bytesOf, essence, goldenPcm, SpokenSession } from './testing';
import { toneEngine } from './tone-engine.testing';

let test_: TestPlatform;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
afterAll(() => test_[Symbol.asyncDispose]());

const SPEECH = bytesOf(soundOf(tonesFor(6_000), 0, 6_000));
const PHRASES = ['n0 n1 n2', 'n3 n4 n5', 'n6 n7 n8', 'n9 n10 n11'];

/** What buffers hold that somebody still refers to. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().arrayBuffers;
}

/** 16 kHz PCM as ffmpeg encodes it. */
function encoded(pcm: Uint8Array, ...parameters: string[]): Promise<Buffer> {
  const input = ['-v', 'error', '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', 'pipe:0'];
  return new Promise((resolve, reject) => {
    const limits = { encoding: 'buffer', maxBuffer: 64 * 1024 ** 2 } as const;
    const child = execFile('ffmpeg', [...input, ...parameters, 'pipe:1'], limits, (error, stdout) =>
      error ? reject(new Error('ffmpeg cannot encode it.', { cause: error })) : resolve(stdout),
    );
    child.stdin!.end(pcm);
  });
}

const toPcm = (pcm: Uint8Array, rate: number) => encoded(pcm, '-ar', String(rate), '-f', 's16le');

test('silence for an hour leaves no segment, and is never held in memory as a whole', async () => {
  const session = await SpokenSession.begin(test_.platform);
  await session.fill(3_600, Buffer.alloc(32_000));
  const before = heldBytes();
  let most = 0;
  const looking = setInterval(() => (most = Math.max(most, heldBytes() - before)), 250);
  try {
    await using _host = aHost(test_.platform, toneEngine());
    await waitFor('an hour to be heard', async () => (await session.row()).state === 'ENDED', 50_000);
  } finally {
    clearInterval(looking);
  }
  expect(await session.segments()).toEqual([]);
  expect(await session.row()).toMatchObject({ heardBytes: 115_200_000n });
  expect(most).toBeLessThan(64 * 1024 ** 2);
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'what ffmpeg decodes', () => {
  test.each([8_000, 44_100, 48_000])(
    'PCM of %d Hz is heard, and heard again from any place with the same result',
    async (sampleRate) => {
      const speech = await toPcm(SPEECH, sampleRate);
      const engine = toneEngine();
      const heard: object[][] = [];
      for (const cutMs of [null, 4_900]) {
        const session = await SpokenSession.begin(test_.platform, { sampleRate });
        const cut = cutMs === null ? 0 : ((cutMs * sampleRate) / 1_000) * 2;
        const first = aHost(test_.platform, engine);
        if (cutMs !== null) {
          await session.sendAll(speech.subarray(0, cut), sampleRate);
          await waitFor(
            'three phrases',
            async () => (await session.segments()).filter(({ state }) => state === 'FINAL').length === 3,
          );
        }
        await first[Symbol.asyncDispose]();
        await using _second = aHost(test_.platform, engine);
        await session.sendAll(speech.subarray(cut), sampleRate);
        await session.end();
        expect(await session.until('ENDED')).toMatchObject({ heardBytes: BigInt(speech.length) });
        const segments = await session.segments();
        expect(segments.map(({ text }) => text)).toEqual(PHRASES);
        heard.push(essence(segments));
      }
      expect(heard[1]).toEqual(heard[0]);
    },
  );

  test('a flush waits for the sound that was sent before it', async () => {
    const speech = await toPcm(SPEECH, 48_000);
    const session = await SpokenSession.begin(test_.platform, { sampleRate: 48_000 });
    await using _host = aHost(test_.platform, toneEngine());
    await session.sendAll(speech.subarray(0, 850 * 96), 48_000);
    await session.flush();
    await waitFor('the segment to be final', async () => (await session.segments())[0]?.state === 'FINAL');
    expect((await session.segments()).map(({ text }) => text)).toEqual(['n0 n1']);
  });

  test('what is no sound fails the session with the reason', async () => {
    const session = await SpokenSession.begin(test_.platform, { encoding: 'CONTAINER' });
    await using _host = aHost(test_.platform, toneEngine());
    await session.send(Buffer.from('This is no sound at all. '.repeat(2_000)));
    await session.end();
    const { errorCode, errorMessage } = await session.until('FAILED');
    expect([errorCode, errorMessage]).toEqual(['TYPE_NOT_ALLOWED', expect.stringContaining('cannot be decoded')]);
  });

  test('a session of a container that never sent anything ends empty', async () => {
    const session = await SpokenSession.begin(test_.platform, { encoding: 'CONTAINER' });
    await using _host = aHost(test_.platform, toneEngine());
    await session.end();
    await session.until('ENDED');
    expect(await session.segments()).toEqual([]);
  });
});

describeWhenInstalled(goldenSpeechMissing() ?? pocketSphinxMissing(), 'human speech', () => {
  const engine = createLivePocketSphinx();
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each<[string, number, (pcm: Uint8Array) => Promise<Uint8Array>]>([
    ['PCM of 16 kHz', 16_000, async (pcm) => pcm],
    ['PCM of 48 kHz', 48_000, (pcm) => toPcm(pcm, 48_000)],
    ['webm', 0, (pcm) => encoded(pcm, '-c:a', 'libopus', '-b:a', '32k', '-f', 'webm')],
    ['ogg', 0, (pcm) => encoded(pcm, '-c:a', 'libopus', '-b:a', '32k', '-f', 'ogg')],
    ['mp3', 0, (pcm) => encoded(pcm, '-b:a', '64k', '-f', 'mp3')],
  ])('%s is understood', async (_, sampleRate, encode) => {
    const { pcm, utterances } = await goldenPcm(test_.dataDirectory);
    const spoken = utterances.slice(0, 4);
    const bytes = await encode(pcm.subarray(0, (spoken.at(-1)!.endMs + 900) * 32));
    const form = sampleRate === 0 ? ({ encoding: 'CONTAINER' } as const) : { sampleRate };
    const session = await SpokenSession.begin(test_.platform, { ...form, plan: { engine: 'pocketsphinx' } });
    await using _host = aHost(test_.platform, engine);
    await session.sendAll(bytes, sampleRate === 0 ? 4_000 : sampleRate / 2);
    await session.end();
    expect(await session.until('ENDED')).toMatchObject({ heardBytes: BigInt(bytes.length) });
    const segments = await session.segments();
    expect(segments).toHaveLength(4);
    const reference = spoken.map(({ text }) => text).join(' ');
    expect(wordErrorRate(reference, segments.map(({ text }) => text).join(' '))).toBeLessThanOrEqual(0.15);
    segments.forEach(({ startMs }, at) => expect(Math.abs(startMs - spoken[at]!.startMs)).toBeLessThan(500));
  });
});
