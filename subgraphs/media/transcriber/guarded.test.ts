import { createTranscribers } from './transcribers';
import { silentLogger } from '../../../platform/logger';
import { guarded } from './guarded';
import { notConfigured } from './not-configured';
import { sherpaInfoWithout } from './sherpa/sherpa-info';
import { EngineUnavailableError, TranscriberFailedError, type Transcriber } from './transcriber';

/** An engine whose next calls end as the test says: with an error, with success (null), or not before it is left. */
function anEngine() {
  const ends: (Error | null | 'never')[] = [];
  let calls = 0;
  const engine: Transcriber = {
    ...notConfigured(sherpaInfoWithout('a model'), ''),
    probe: async () => ({ available: true }),
    async *transcribe(_pcm, { signal }) {
      calls++;
      const end = ends.shift() ?? null;
      if (end instanceof Error) throw end;
      if (end === 'never')
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))));
      yield* [];
    },
  };
  return { engine, ends, calls: () => calls };
}

let nowMs: number;

beforeEach(() => (nowMs = 0));

function begin() {
  const made = anEngine();
  const behind = guarded(made.engine, { logger: silentLogger, now: () => nowMs });
  const call = async (signal = new AbortController().signal): Promise<void> => {
    for await (const _ of behind.transcribe(noAudio(), { signal })) continue;
  };
  const fail = async (times: number, error: Error = new TranscriberFailedError('it broke')): Promise<void> => {
    for (let time = 0; time < times; time++) {
      made.ends.push(error);
      await expect(call()).rejects.toBe(error);
    }
  };
  return { ...made, behind, call, fail };
}

async function* noAudio(): AsyncGenerator<Int16Array> {}

test('five failures in a row hold calls off for 30 s, and the probe says until when', async () => {
  const { behind, call, fail, calls } = begin();
  await fail(4);
  expect(await behind.probe()).toEqual({ available: true });
  await fail(1);
  expect(await behind.probe()).toEqual({
    available: false,
    reason: 'It failed repeatedly and is left alone; it is tried again in 30 s.',
    retryAfterMs: 30_000,
  });
  await expect(call()).rejects.toBeInstanceOf(EngineUnavailableError);
  await expect(createTranscribers([behind]).candidates({})).rejects.toMatchObject({ retryAfterMs: 30_000 });
  expect(calls()).toBe(5);
});

test('a success between failures begins the count anew', async () => {
  const { behind, call, fail } = begin();
  await fail(4);
  await call();
  await fail(4);
  expect(await behind.probe()).toEqual({ available: true });
});

test('after the pause one success closes it', async () => {
  const { behind, call, fail } = begin();
  await fail(5);
  nowMs = 30_000;
  expect(await behind.probe()).toEqual({ available: true });
  await call();
  await fail(4);
  expect(await behind.probe()).toEqual({ available: true });
});

test('each failed trial makes the pause 30 s longer, up to 300 s', async () => {
  const { behind, fail } = begin();
  await fail(5);
  for (const pauseMs of [60, 90, 120, 150, 180, 210, 240, 270, 300, 300]) {
    nowMs += 300_000;
    await fail(1);
    const reason = expect.stringContaining(`in ${pauseMs} s.`);
    expect(await behind.probe()).toEqual({ available: false, reason, retryAfterMs: pauseMs * 1_000 });
  }
});

test('while a trial is under way new work goes elsewhere, but calls of the same recording pass', async () => {
  const { behind, ends, call, fail, calls } = begin();
  await fail(5);
  nowMs = 30_000;
  const controller = new AbortController();
  ends.push('never');
  const trial = call(controller.signal).catch(() => 'left');
  expect(await behind.probe()).toMatchObject({ available: false });
  await call();
  expect(calls()).toBe(7);
  expect(await behind.probe()).toEqual({ available: true });
  controller.abort();
  expect(await trial).toBe('left');
});

test('a trial that is left decides nothing', async () => {
  const { behind, ends, call, fail } = begin();
  await fail(5);
  nowMs = 30_000;
  const controller = new AbortController();
  ends.push('never');
  const trial = call(controller.signal);
  controller.abort();
  await expect(trial).rejects.toThrow('left');
  expect(await behind.probe()).toEqual({ available: true });
  await fail(1);
  expect(await behind.probe()).toMatchObject({ available: false });
});

test('a recording that it will not take and a source that breaks count for nothing', async () => {
  const { behind, fail } = begin();
  await fail(6, new TranscriberFailedError('not this one', { retryable: false }));
  await fail(6, new Error('the decoder was stopped'));
  expect(await behind.probe()).toEqual({ available: true });
  await fail(5, new EngineUnavailableError('The key is refused.'));
  expect(await behind.probe()).toMatchObject({ available: false });
});
