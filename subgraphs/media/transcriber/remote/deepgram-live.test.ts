import { waitFor } from '../../../../platform/testing/wait';
import { soundOf, tonesFor } from '../../transcription/testing';
import type { LiveDecoder, LiveDecoderOptions, LiveEngine } from '../live/live-decoder';
import { hearLive, spokenIn, textOf } from '../live/testing';
import { EngineUnavailableError } from '../transcriber';
import { createLiveDeepgram, type LiveDeepgramOptions } from './deepgram-live';
import { DEEPGRAM_KEY } from './testing/deepgram-peer';
import { LiveDeepgramPeer } from './testing/live-deepgram-peer';

/** Two phrases of three words. */
const [FIRST, SECOND] = spokenIn(soundOf(tonesFor(3_200), 0, 3_200));
const LONG = { startMs: 0, samples: soundOf(evenTones(9_000), 0, 9_000), silentMs: 0 };

/** Tones with 100 ms between them, and no pause. */
function evenTones(durationMs: number) {
  return Array.from({ length: durationMs / 300 }, (_, number) => ({ number: number % 20, startMs: number * 300 + 50 }));
}

let peer: LiveDeepgramPeer;
let engine: LiveEngine;
/** Pauses between attempts to connect; none is really made. */
let pauses: number[];

async function begin(options: LiveDeepgramOptions & { silenceLimitMs?: number; apiKey?: string } = {}): Promise<void> {
  const { silenceLimitMs, apiKey = DEEPGRAM_KEY, ...rest } = options;
  peer = await LiveDeepgramPeer.open({ ...(silenceLimitMs !== undefined && { silenceLimitMs }) });
  pauses = [];
  const wait = async (ms: number): Promise<void> => void pauses.push(ms);
  engine = createLiveDeepgram({ url: peer.url, apiKey, model: 'nova-3', timeoutMs: 1 }, { wait, ...rest });
}
afterEach(async () => {
  await engine[Symbol.asyncDispose]();
  await waitFor('every connection to be closed', () => peer.connections === 0).finally(() =>
    peer[Symbol.asyncDispose](),
  );
  expect(peer.breaches).toEqual([]);
});

const open = (options: Partial<LiveDecoderOptions> = {}): Promise<LiveDecoder> =>
  engine.open({ language: 'en-KE', signal: new AbortController().signal, ...options });

/** What a call ends with; nothing in it may tell the key or where the server is. */
async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => new Error('It succeeded.'),
    (reason: unknown) => reason as Error,
  );
  const told = JSON.stringify([error.message, error.stack, String(error.cause)]);
  expect(told).not.toContain(DEEPGRAM_KEY);
  expect(told).not.toContain(new URL(peer.url).host);
  return error;
}

test('hears utterances one after the other, each with times from its own beginning', async () => {
  await begin();
  await using decoder = await open();
  const first = (await hearLive(decoder, FIRST!)).final;
  expect(textOf(first)).toBe('N0 n1 n2.');
  expect(first.language).toBe('en-KE');
  const second = (await hearLive(decoder, SECOND!)).final;
  expect(textOf(second)).toBe('N3 n4 n5.');
  const lengths = second.words.map(({ startMs, endMs }) => endMs - startMs);
  expect(lengths).toEqual([200, 200, 200]);
  const atMs = second.words.map(({ startMs }) => startMs + SECOND!.startMs);
  expect(atMs).toEqual(
    tonesFor(3_200)
      .slice(3, 6)
      .map(({ startMs }) => startMs),
  );
  expect(second.words.every(({ confidence }) => confidence === 0.9)).toBe(true);
  expect(decoder.state).toBeNull();
});

test('guesses what was said so far: what is final and the newest of what is not', async () => {
  await begin();
  await using decoder = await open();
  await decoder.begin();
  const half = soundOf(evenTones(4_000), 0, 4_000);
  await decoder.feed(half);
  const nothing = new Int16Array(0);
  const guess = await waitFor('all of it to be guessed', async () => {
    const heard = await decoder.feed(nothing);
    return heard?.upToMs === 4_000 ? heard : null;
  });
  expect(textOf(guess)).toBe(['N0', ...Array.from({ length: 12 }, (_, at) => `n${at + 1}`)].join(' '));
  expect(await decoder.feed(nothing)).toBeNull();
  expect(textOf(await decoder.finish(0))).toBe(`${textOf(guess)}.`);
});

test('only what is said is sent, and one connection serves a whole session', async () => {
  await begin();
  await using decoder = await open();
  for (const utterance of [FIRST!, SECOND!, FIRST!]) await hearLive(decoder, utterance);
  expect(peer.streams).toHaveLength(1);
  const saidMs = (FIRST!.samples.length * 2 + SECOND!.samples.length) / 16;
  expect(peer.streams[0]!.receivedMs).toBeLessThanOrEqual(saidMs + 100 + 3 * 500);
  expect(peer.streams[0]!.told).toEqual(['Finalize', 'Finalize', 'Finalize']);
});

test('is told language and keyterms in a form that it knows; without a language it says itself what is spoken', async () => {
  await begin();
  await using told = await open({ vocabulary: { keyterms: ['Kisumu', 'women & men of Zambezia'] } });
  await hearLive(told, FIRST!);
  await using untold = await open({ language: undefined });
  expect((await hearLive(untold, FIRST!)).final.language).toBe('es');
  const [one, other] = peer.asked.map(({ searchParams }) => searchParams);
  expect([one!.get('language'), one!.getAll('keyterm')]).toEqual(['en', ['Kisumu', 'women & men of Zambezia']]);
  expect([other!.get('language'), other!.getAll('keyterm')]).toEqual(['multi', []]);
});

test('nobody speaks for long: the connection stays open', async () => {
  await begin({ silenceLimitMs: 1_000, keepAliveMs: 100 });
  await using decoder = await open();
  const keptAlive = () => peer.streams[0]!.told.filter((type) => type === 'KeepAlive').length;
  await waitFor('twice the time that it may be silent', () => keptAlive() >= 20);
  expect(textOf((await hearLive(decoder, FIRST!)).final)).toBe('N0 n1 n2.');
});

test('a connection that the service closed in silence fails the next utterance, which may be tried again', async () => {
  await begin({ silenceLimitMs: 50 });
  await using decoder = await open();
  await waitFor('the service to lose patience', () => !peer.streams[0]!.isOpen);
  const error = await waitFor('it to be noticed', () =>
    decoder.begin().then(
      () => null,
      (reason: unknown) => reason,
    ),
  );
  const message = 'Deepgram closed the connection (1011, NET-0001).';
  expect(error).toMatchObject({ code: 'ENGINE_FAILED', retryable: true, message });
});

test('says what was final when no answer to the end is due', async () => {
  await begin({ quietMs: 50 });
  peer.faults.push('is done early');
  await using decoder = await open();
  expect(textOf((await hearLive(decoder, FIRST!)).final)).toBe('N0 n1 n2');
  expect(textOf((await hearLive(decoder, SECOND!)).final)).toBe('N3 n4 n5');
});

test('a service that is slow to guess is waited for', async () => {
  await begin({ quietMs: 0 });
  peer.faults.push('guesses nothing');
  await using decoder = await open();
  const { guesses, final } = await hearLive(decoder, FIRST!);
  expect(guesses).toEqual([]);
  expect(textOf(final)).toBe('N0 n1 n2.');
});

test('one that never says the end fails the utterance, and words that are not sure are not taken for it', async () => {
  await begin({ timeoutMs: 100, quietMs: 0 });
  peer.faults.push('ignores Finalize');
  await using decoder = await open();
  const error = await failureOf(hearLive(decoder, FIRST!));
  expect(error).toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
  expect(error.message).toContain('did not say what it had heard in time');
  await waitFor('the stream to be left', () => !peer.streams[0]!.isOpen);
  await expect(decoder.begin()).rejects.toBe(error);
});

test.each([
  ['breaks off', 'closed the connection (1006)'],
  ['closes with 1011', 'closed the connection (1011, NET-0000)'],
  ['JSON that breaks off', 'JSON that breaks off'],
  ['another shape', 'JSON that is no result'],
  ['an error', 'told an error'],
  ['bytes', 'bytes instead of JSON'],
] as const)('%s in the middle fails the decoder, and another one hears the sentence again', async (fault, said) => {
  await begin();
  peer.faults.push(fault);
  await using decoder = await open();
  const error = await failureOf(hearLive(decoder, LONG));
  expect(error).toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
  expect(error.message).toContain(said);
  await using other = await open({ state: decoder.state });
  expect((await hearLive(other, LONG)).final.words).toHaveLength(30);
});

test.each([
  [401, 'refuses the key', 'DEEPGRAM_API_KEY'],
  [402, 'wants to be paid', ''],
  [404, 'is not at that address', 'DEEPGRAM_URL and DEEPGRAM_MODEL'],
  [301, 'is not at that address', ''],
])('%s is for the operator to see to, and is not tried again', async (status, said, check) => {
  await begin();
  peer.refusals.push({ status, body: `{"err_code":"SOME_CODE","err_msg":"${DEEPGRAM_KEY} at ${peer.url}"}` });
  const error = await failureOf(open());
  expect(error).toBeInstanceOf(EngineUnavailableError);
  for (const part of [said, check, 'SOME_CODE']) expect(error.message).toContain(part);
  expect(peer.asked).toHaveLength(1);
});

test('a wrong key is refused', async () => {
  await begin({ apiKey: 'wrong' });
  expect((await failureOf(open())).message).toContain('refuses the key (HTTP 401, INVALID_AUTH)');
});

test('an option that it does not take is no reason to try again', async () => {
  await begin();
  peer.refusals.push({ status: 400 });
  expect(await failureOf(open())).toMatchObject({ code: 'ENGINE_FAILED', retryable: false });
  expect(peer.asked).toHaveLength(1);
});

test('too many streams at once, or a moment away: tries again as told, then serves', async () => {
  await begin();
  peer.refusals.push({ status: 429, headers: { 'retry-after': '7' } }, { status: 503 });
  await using decoder = await open();
  expect(textOf((await hearLive(decoder, FIRST!)).final)).toBe('N0 n1 n2.');
  expect(pauses).toHaveLength(2);
  expect(pauses[0]).toBe(7_000);
});

test('one that stays too busy, or cannot be reached, is given up for now', async () => {
  await begin();
  peer.refusals.push(...Array.from({ length: 6 }, () => ({ status: 429 })));
  expect(await failureOf(open())).toMatchObject({ code: 'ENGINE_FAILED', retryable: true, wasRetried: true });
  expect([peer.asked.length, pauses.length]).toEqual([6, 5]);
  const elsewhere = createLiveDeepgram(
    { url: 'http://127.0.0.1:1', apiKey: DEEPGRAM_KEY, model: 'nova-3', timeoutMs: 1 },
    { wait: async () => undefined },
  );
  const error = await failureOf(elsewhere.open({ signal: new AbortController().signal }));
  expect(error).toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
  expect(error.message).toContain('ECONNREFUSED');
});

test('one that does not answer the call for a connection is called again', async () => {
  await begin({ timeoutMs: 50 });
  peer.refusals.push('silence');
  await using _decoder = await open();
  expect([peer.asked.length, pauses.length]).toEqual([2, 1]);
});

test('one that takes no audio is not fed on, and fails', async () => {
  await begin({ timeoutMs: 300 });
  peer.faults.push('reads nothing');
  await using decoder = await open();
  await decoder.begin();
  const error = await failureOf(decoder.feed(new Int16Array(20_000_000)));
  expect(error.message).toBe('Deepgram took no audio for 0.3 s.');
  peer.streams[0]!.readOn();
});

test('an abort ends an attempt to connect', async () => {
  await begin();
  peer.refusals.push('silence');
  const controller = new AbortController();
  const opening = open({ signal: controller.signal });
  await waitFor('the call to arrive', () => peer.asked.length === 1);
  controller.abort(new Error('the session has moved'));
  await expect(opening).rejects.toThrow('the session has moved');
  await waitFor('the connection to be left', () => peer.connections === 0);
  await expect(open({ signal: controller.signal })).rejects.toThrow('the session has moved');
  expect(peer.asked).toHaveLength(1);
});

test('an abort ends a wait for the final words with its reason', async () => {
  await begin();
  peer.faults.push('ignores Finalize');
  const controller = new AbortController();
  const { signal } = controller;
  await using decoder = await open({ signal });
  const hearing = hearLive(decoder, FIRST!);
  await waitFor('the end to be asked for', () => peer.streams[0]!.told.includes('Finalize'));
  controller.abort(new Error('the session has moved'));
  await expect(hearing).rejects.toThrow('the session has moved');
  await waitFor('the stream to be left', () => !peer.streams[0]!.isOpen);
});

test('a decoder that is done with says so to the service', async () => {
  await begin();
  const decoder = await open();
  await hearLive(decoder, FIRST!);
  await decoder[Symbol.asyncDispose]();
  expect(peer.streams[0]!.told).toEqual(['Finalize', 'CloseStream']);
  await waitFor('the stream to be closed', () => !peer.streams[0]!.isOpen);
});

test('closing the engine ends the decoders that are open', async () => {
  await begin();
  const decoder = await open();
  await decoder.begin();
  await engine[Symbol.asyncDispose]();
  await expect(decoder.feed(FIRST!.samples)).rejects.toThrow('Deepgram was closed.');
  await waitFor('the stream to be left', () => !peer.streams[0]!.isOpen);
});
