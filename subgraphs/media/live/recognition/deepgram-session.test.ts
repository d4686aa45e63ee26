import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import type { SegmentRow } from '../../records';
import { createLiveDeepgram } from '../../transcriber/remote/deepgram-live';
import { DEEPGRAM_KEY } from '../../transcriber/remote/testing/deepgram-peer';
import { LiveDeepgramPeer } from '../../transcriber/remote/testing/live-deepgram-peer';
import { soundOf, tonesFor } from '../../transcription/testing';
import type { LiveHost } from './live-host';
import { aHost, bytesOf, SpokenSession } from './testing';

let test_: TestPlatform;
let peer: LiveDeepgramPeer;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
beforeEach(async () => {
  peer = await LiveDeepgramPeer.open();
});
afterEach(async () => {
  await waitFor('every connection to be closed', () => peer.connections === 0);
  await peer[Symbol.asyncDispose]();
  expect(peer.breaches).toEqual([]);
});
afterAll(() => test_[Symbol.asyncDispose]());

/** Four phrases of three words, 0.7 s apart. */
const SPEECH = bytesOf(soundOf(tonesFor(6_000), 0, 6_000));
const PHRASES = ['N0 n1 n2.', 'N3 n4 n5.', 'N6 n7 n8.', 'N9 n10 n11.'];
const upTo = (ms: number): Uint8Array => SPEECH.subarray(0, ms * 32);
const from = (ms: number): Uint8Array => SPEECH.subarray(ms * 32);
const textsOf = (segments: readonly SegmentRow[]): string[] => segments.map(({ text }) => text);
const begin = (keyterms: string[] = []): Promise<SpokenSession> =>
  SpokenSession.begin(test_.platform, { plan: { engine: 'deepgram', pinned: true, language: 'en-US', keyterms } });

function start(): LiveHost {
  const settings = { url: peer.url, apiKey: DEEPGRAM_KEY, model: 'nova-3', timeoutMs: 1 };
  return aHost(test_.platform, createLiveDeepgram(settings));
}

test('words that the service guesses appear at once; the sentence becomes final with its punctuation', async () => {
  await using _host = start();
  const session = await begin(['Kisumu']);
  let sentMs = 850;
  await session.sendAll(upTo(sentMs));
  const guess = await waitFor('a guess', async () => {
    await session.send(SPEECH.subarray(sentMs * 32, (sentMs += 50) * 32)); // a guess is shown with the audio that follows
    return (await session.told()).find(({ state }) => state === 'PARTIAL');
  });
  expect(guess.text).toMatch(/^N\d/);
  expect(guess.text).not.toContain('.');
  await session.sendAll(from(sentMs));
  await session.end();
  await session.until('ENDED');
  const segments = await session.segments();
  expect(textsOf(segments)).toEqual(PHRASES);
  expect(segments.every(({ state }) => state === 'FINAL')).toBe(true);
  expect(segments[0]).toMatchObject({ language: 'en-US', confidence: 0.9, startMs: 300, endMs: 1_100, turnEnd: true });
  expect(segments.find(({ id }) => id === guess.id)!.revision).toBeGreaterThan(guess.revision);
  expect(peer.asked.map(({ searchParams }) => searchParams.getAll('keyterm'))).toEqual([['Kisumu']]);
  const { prisma } = test_.platform.database;
  const transcript = await prisma.transcript.findUniqueOrThrow({ where: { id: session.transcriptId } });
  expect(transcript).toMatchObject({ state: 'COMPLETE', engine: 'deepgram' });
});

test('a word that was cut off in a guess does not stay because the next guess comes late', async () => {
  // The first guess is of 0.9 s of it, where the third word has not ended.
  const tones = Array.from({ length: 9 }, (_, number) => ({ number, startMs: 150 + number * 300 }));
  const speech = bytesOf(soundOf(tones, 0, 3_000));
  peer.faults.push('guesses seldom');
  await using _host = start();
  const session = await begin();
  const guesses = async () => (await session.told()).filter(({ state }) => state === 'PARTIAL').map(({ text }) => text);
  let sentMs = 0;
  const speakTo = async (toMs: number): Promise<void> => {
    while (sentMs < toMs) {
      await session.send(speech.subarray(sentMs * 32, (sentMs += 50) * 32));
      if (sentMs > 500) await waitFor('it to be heard', () => peer.streams[0]!.receivedMs >= sentMs);
    }
  };
  await speakTo(1_850);
  await waitFor('a guess', async () => (await guesses()).length > 0);
  expect(await guesses()).toEqual(['N0 n1 n2x150']);
  await speakTo(2_600);
  await waitFor('another guess', async () => (await guesses()).length > 1);
  await session.end();
  await session.until('ENDED');
  expect((await guesses())[1]).toBe('N0 n1 n2 n3 n4 n5');
});

test('a stream that breaks in mid-sentence is replaced, and no sentence is lost or doubled', async () => {
  peer.faults.push('breaks off', 'JSON that breaks off');
  await using _host = start();
  const session = await begin();
  await session.sendAll(SPEECH);
  await session.end();
  await session.until('ENDED');
  expect(textsOf(await session.segments())).toEqual(PHRASES);
  expect(new Set((await session.told()).map(({ id }) => id)).size).toBe(PHRASES.length);
  expect(peer.streams).toHaveLength(3);
});

test('a key that is refused fails the session with the reason, at once and without the key', async () => {
  peer.refusals.push({ status: 401, body: '{"err_code":"INVALID_AUTH"}' });
  await using _host = start();
  const session = await begin();
  await session.send(upTo(1_000));
  const row = await session.until('FAILED');
  const errorMessage = 'Deepgram refuses the key (HTTP 401, INVALID_AUTH). Check DEEPGRAM_API_KEY.';
  expect(row).toMatchObject({ errorCode: 'ENGINE_UNAVAILABLE', errorMessage });
  expect(peer.asked).toHaveLength(1);
});
