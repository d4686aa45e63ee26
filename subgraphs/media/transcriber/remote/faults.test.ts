import { createOpenAi } from './openai';
import { createDeepgram } from './deepgram';
import { DEEPGRAM_KEY, openDeepgramPeer } from './testing/deepgram-peer';
import { OPENAI_KEY, openOpenAiPeer } from './testing/openai-peer';
import type { Peer } from './testing/peer';
import { noise, Source } from '../conformance/recordings';
import { waitFor } from '../../../../platform/testing/wait';
import {
  EngineUnavailableError,
  TranscriberFailedError,
  type RecognizedSegment,
  type Transcriber,
} from '../transcriber';

const said: RecognizedSegment = {
  index: 0,
  text: 'Good morning.',
  startMs: 500,
  endMs: 1_300,
  confidence: 0.9,
  language: 'en',
  words: [
    { text: 'Good', startMs: 500, endMs: 800, confidence: 0.9 },
    { text: 'morning.', startMs: 900, endMs: 1_300, confidence: 0.9 },
  ],
};
const hear = async () => [said];

interface Setup {
  peer: Peer;
  engine: Transcriber;
  /** Pauses between attempts that were asked for; none is really made. */
  pauses: number[];
}

type Open = (options?: { timeoutMs?: number; apiKey?: string; url?: string }) => Promise<Setup>;

const openers: [name: string, key: string, open: Open][] = [
  [
    'OpenAI protocol',
    OPENAI_KEY,
    async ({ timeoutMs = 20_000, apiKey = OPENAI_KEY, url } = {}) => {
      const peer = await openOpenAiPeer(hear);
      const pauses: number[] = [];
      const settings = {
        url: url ?? peer.url,
        apiKey,
        model: 'whisper-1',
        wordTimes: true,
        languages: ['en', 'sw'],
        pieces: { idealMs: 60_000, maxMs: 90_000, parallel: 1 },
        timeoutMs,
      };
      return { peer, pauses, engine: createOpenAi(settings, { wait: async (ms) => void pauses.push(ms) }) };
    },
  ],
  [
    'Deepgram',
    DEEPGRAM_KEY,
    async ({ timeoutMs = 20_000, apiKey = DEEPGRAM_KEY, url } = {}) => {
      const peer = await openDeepgramPeer(hear);
      const pauses: number[] = [];
      const settings = { url: url ?? peer.url, apiKey, model: 'nova-3', timeoutMs };
      return { peer, pauses, engine: createDeepgram(settings, { wait: async (ms) => void pauses.push(ms) }) };
    },
  ],
];

describe.each(openers)('%s', (_name, key, open) => {
  let setup: Setup | undefined;

  async function begin(options: Parameters<Open>[0] = {}): Promise<Setup> {
    setup = await open(options);
    return setup;
  }
  afterEach(async () => {
    await setup?.engine[Symbol.asyncDispose]();
    await setup?.peer[Symbol.asyncDispose]();
    setup = undefined;
  });

  async function transcribe(engine: Transcriber, signal = new AbortController().signal): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of engine.transcribe(new Source(noise(2_000, 8_000)), { signal, language: 'en' }))
      texts.push(text);
    return texts;
  }

  /** What a call ends with; nothing in it may tell the key or where the server is. */
  async function failure({ engine, peer }: Setup): Promise<Error> {
    const error = await transcribe(engine).then(
      () => new Error('It succeeded.'),
      (reason: unknown) => reason as Error,
    );
    const told = JSON.stringify([error.message, error.stack, String(error.cause)]);
    expect(told).not.toContain(key);
    expect(told).not.toContain(new URL(peer.url).host);
    return error;
  }

  test('hears', async () => {
    const { engine, peer } = await begin();
    expect(await transcribe(engine)).toEqual(['Good morning.']);
    expect(peer.breaches).toEqual([]);
  });

  test.each([500, 502, 503, 504, 408])('%s and then fine: succeeds at the second attempt', async (status) => {
    const { engine, peer, pauses } = await begin();
    peer.faults.push({ status });
    expect(await transcribe(engine)).toEqual(['Good morning.']);
    expect(peer.calls).toHaveLength(2);
    expect(peer.calls[1]!.body.length).toBe(peer.calls[0]!.body.length);
    expect(pauses).toHaveLength(1);
    expect(pauses[0]).toBeLessThanOrEqual(500);
  });

  test('waits as long as Retry-After says, in seconds or until a date', async () => {
    const { engine, peer, pauses } = await begin();
    const inTwentySeconds = new Date(Date.now() + 20_000).toUTCString();
    peer.faults.push({ status: 429, headers: { 'retry-after': '7' } });
    peer.faults.push({ status: 503, headers: { 'retry-after': inTwentySeconds } });
    expect(await transcribe(engine)).toEqual(['Good morning.']);
    expect(pauses[0]).toBe(7_000);
    expect(pauses[1]).toBeGreaterThan(0);
    expect(pauses[1]).toBeLessThanOrEqual(20_000);
  });

  test('does not wait for minutes: the call fails, and may be tried again', async () => {
    const begun = await begin();
    begun.peer.faults.push({ status: 429, headers: { 'retry-after': '600' } });
    expect(await failure(begun)).toMatchObject({ code: 'ENGINE_FAILED', retryable: true, wasRetried: true });
    expect(begun.pauses).toEqual([]);
    expect(begun.peer.calls).toHaveLength(1);
  });

  test('gives up after three attempts', async () => {
    const begun = await begin();
    begun.peer.faults.push({ status: 500 }, { status: 500 }, { status: 500 });
    const error = await failure(begun);
    expect(error).toBeInstanceOf(TranscriberFailedError);
    expect(error).toMatchObject({ retryable: true, wasRetried: true });
    expect(error.message).toContain('HTTP 500');
    expect(begun.peer.calls).toHaveLength(3);
  });

  test.each(['broken', 'silent', 'hanging'] as const)('%s: tries again with the whole recording', async (fault) => {
    const { engine, peer } = await begin({ timeoutMs: 1_500 });
    peer.faults.push(fault);
    expect(await transcribe(engine)).toEqual(['Good morning.']);
    expect(peer.calls.map(({ body }) => body.length)).toEqual([peer.calls[0]!.body.length, peer.calls[0]!.body.length]);
    await waitFor('the first call to be given up', () => peer.active === 0);
  });

  test.each([
    ['a page', 'text/html instead of JSON'],
    ['cut off', 'JSON that breaks off'],
    ['endless', 'more than 64 MB'],
    [
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"error":"failed to read"}' },
      'no transcript',
    ],
    [{ status: 200, headers: { 'content-type': 'application/json' }, body: '[]' }, 'no transcript'],
  ] as const)('%j is an engine that failed', async (fault, said) => {
    const begun = await begin();
    begun.peer.faults.push(fault);
    const error = await failure(begun);
    expect(error).toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
    expect(error.message).toContain(said);
    expect(begun.peer.calls).toHaveLength(1);
    await waitFor('the connection to be let go', () => begun.peer.active === 0);
  });

  test.each([
    [401, 'refuses the key'],
    [403, 'refuses the key'],
    [402, 'wants to be paid'],
    [404, 'is not at that address'],
    [301, 'is not at that address'],
  ])('%s is an engine that its operator must see to, and is not tried again', async (status, said) => {
    const begun = await begin();
    begun.peer.faults.push({ status, body: `{"error":{"code":"some_code","message":"${key} at ${begun.peer.url}"}}` });
    const error = await failure(begun);
    expect(error).toBeInstanceOf(EngineUnavailableError);
    expect(error.message).toContain(said);
    expect(error.message).toContain('some_code');
    expect(begun.peer.calls).toHaveLength(1);
  });

  test.each([400, 413, 415, 422])('%s is a recording it will not take: another engine may', async (status) => {
    const begun = await begin();
    begun.peer.faults.push({ status, body: '{"err_code":"Bad Request"}' });
    expect(await failure(begun)).toMatchObject({ code: 'ENGINE_FAILED', retryable: false });
    expect(begun.peer.calls).toHaveLength(1);
  });

  test('an abort ends a call that the server leaves unanswered', async () => {
    const { engine, peer } = await begin();
    peer.faults.push('silent');
    const controller = new AbortController();
    const call = transcribe(engine, controller.signal);
    await waitFor('the call to arrive', () => peer.calls.length === 1);
    controller.abort(new Error('canceled'));
    await expect(call).rejects.toThrow('canceled');
    await waitFor('the server to be left alone', () => peer.active === 0);
    expect(peer.calls).toHaveLength(1);
  });

  test('its probe tells a good key from a bad one, and a server that is down', async () => {
    const { engine, peer } = await begin();
    expect(await engine.probe()).toEqual({ available: true });
    const stranger = await open({ url: peer.url, apiKey: 'wrong' });
    await stranger.peer[Symbol.asyncDispose]();
    const refused = expect.stringMatching(/refuses the key\. Check \w+_API_KEY\./);
    expect(await stranger.engine.probe()).toEqual({ available: false, reason: refused });
    await stranger.engine[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
    const reason = expect.stringMatching(/cannot be reached \(\w+\)\. Check \w+_URL\./);
    expect(await engine.probe()).toEqual({ available: false, reason });
  });

  test('a server that is down fails the call after three attempts', async () => {
    const begun = await begin();
    await begun.peer[Symbol.asyncDispose]().catch(() => {});
    const error = await transcribe(begun.engine).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ENGINE_FAILED', retryable: true, wasRetried: true });
    expect((error as Error).message).toContain('ECONNREFUSED');
    expect(begun.pauses).toHaveLength(2);
  });

  test('closing it leaves no connection open', async () => {
    const { engine, peer } = await begin();
    await transcribe(engine);
    await engine[Symbol.asyncDispose]();
    await waitFor('the connections to be closed', () => peer.connections === 0);
  });
});
