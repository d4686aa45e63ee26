import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { goldenSpeechMissing, wordErrorRate } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { waitFor } from '../../../../platform/testing/wait';
import { goldenRecording, type Golden } from '../conformance/recordings';
import { EngineProcess } from '../engine-process';
import type { HeardUtterance, LiveDecoder, LiveDecoderOptions, LiveEngine } from '../live/live-decoder';
import { hearLive, spokenIn, textOf, type SpokenUtterance } from '../live/testing';
import { startChild } from '../start-child';
import { TranscriberFailedError } from '../transcriber';
import { findPocketSphinx, pocketSphinxChildFile } from './installation';
import { createLivePocketSphinx } from './live';
import { pocketSphinxMissing } from './testing';

// The golden recording takes 6 s of CPU, and several times that on a machine that does other work.
jest.setTimeout(240_000);

const missing = programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing();

describeWhenInstalled(missing, 'PocketSphinx live', () => {
  let folder: string;
  let golden: Golden;
  let spoken: SpokenUtterance[];
  let engine: LiveEngine;
  /** What one decoder hears that nothing disturbs. */
  const undisturbed: { guesses: HeardUtterance[]; final: HeardUtterance; state: unknown }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-live-'));
    golden = await goldenRecording();
    spoken = spokenIn(golden.pcm);
    engine = createLivePocketSphinx();
    await using decoder = await open();
    for (const utterance of spoken) {
      const heard = await hearLive(decoder, utterance);
      undisturbed.push({ ...heard, state: JSON.parse(JSON.stringify(decoder.state)) });
    }
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(options: Partial<LiveDecoderOptions> = {}, from = engine): Promise<LiveDecoder> {
    return from.open({ signal: new AbortController().signal, ...options });
  }

  /** The decoders this process has at the moment. */
  function decoderPids(): number[] {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
    const isDecoder = (pid: string) =>
      pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pocketsphinx/child/main.cjs');
    return children.filter(isDecoder).map(Number);
  }

  test('hears ten human sentences', () => {
    const heard = undisturbed.map(({ final }) => textOf(final)).join(' ');
    const errorRate = wordErrorRate(golden.utterances.map(({ text }) => text).join(' '), heard);
    process.stderr.write(`golden, live: WER ${(errorRate * 100).toFixed(1)} %\n`);
    expect(errorRate).toBeLessThanOrEqual(0.05);
  });

  test('a fresh process that is handed the state hears the very same, however the audio is cut', async () => {
    for (const [index, utterance] of spoken.entries()) {
      await using fresh = createLivePocketSphinx();
      await using decoder = await open({ state: undisturbed[index - 1]?.state }, fresh);
      const { final } = await hearLive(decoder, utterance, [10, 37, 250, 20_000][index % 4]);
      expect(final).toEqual(undisturbed[index]!.final);
      expect(decoder.state).toEqual(undisturbed[index]!.state);
    }
  });

  test('a process that another session has used hears the very same', async () => {
    for (const index of [0, 1]) {
      await using decoder = await open({ state: undisturbed[index - 1]?.state });
      expect((await hearLive(decoder, spoken[index]!)).final).toEqual(undisturbed[index]!.final);
    }
  });

  test('guesses come while somebody speaks, and end in what was said', () => {
    const guessed = undisturbed.map(({ guesses }) => textOf(guesses.at(-1)!)).join(' ');
    const said = undisturbed.map(({ final }) => textOf(final)).join(' ');
    expect(wordErrorRate(said, guessed)).toBeLessThan(0.15);
    for (const { guesses, final } of undisturbed) {
      expect(guesses.length).toBeGreaterThan(final.words.length / 2);
      for (const { words } of guesses) {
        expect(words.every(({ confidence, endMs, startMs }) => confidence === null && endMs > startMs)).toBe(true);
        expect(textOf({ words, language: '' })).toMatch(/^([A-Z].*[^.])?$/);
      }
      // The first word is known long before the sentence is over.
      const early = guesses.slice(0, Math.ceil(guesses.length / 2));
      expect(early.some(({ words }) => words[0]?.text === final.words[0]!.text)).toBe(true);
    }
  });

  test('what was said has times inside the utterance, confidences and a period', () => {
    undisturbed.forEach(({ final }, index) => {
      const lengthMs = spoken[index]!.samples.length / 16;
      expect(textOf(final)).toMatch(/^[A-Z].*\.$/);
      expect(final.language).toBe('en-US');
      let earliestMs = 0;
      for (const { startMs, endMs, confidence } of final.words) {
        expect(startMs).toBeGreaterThanOrEqual(earliestMs);
        expect(endMs).toBeLessThanOrEqual(lengthMs);
        expect(confidence).toBeGreaterThan(0);
        earliestMs = endMs;
      }
    });
  });

  test('the same words are not told again', () => {
    for (const { guesses } of undisturbed) {
      const told = guesses.map(({ words }) => JSON.stringify(words));
      expect(told.every((words, index) => words !== told[index - 1])).toBe(true);
    }
  });

  test('a session with a grammar hears nothing else, and the next one on its process is free again', async () => {
    await using own = createLivePocketSphinx();
    const grammar = 'public <said> = this conference is now being extended | this call is now over;';
    {
      await using decoder = await open({ vocabulary: { keyterms: [], grammar } }, own);
      expect(textOf((await hearLive(decoder, spoken[1]!)).final)).toMatch(/^This (conf|call).*\.$/);
    }
    await using decoder = await open({ state: undisturbed[0]!.state }, own);
    expect((await hearLive(decoder, spoken[1]!)).final).toEqual(undisturbed[1]!.final);
  });

  test('refuses what it does not offer before a process is started', async () => {
    await using own = createLivePocketSphinx();
    const before = decoderPids().length;
    await expect(open({ language: 'sw' }, own)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const keyterms = Array.from({ length: 1_001 }, (_, n) => `term ${n}`);
    await expect(open({ vocabulary: { keyterms } }, own)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(decoderPids()).toHaveLength(before);
  });

  test('sessions at the same time have a process each, which then serves the next', async () => {
    await using own = createLivePocketSphinx();
    const before = decoderPids();
    const first = await open({}, own);
    const second = await open({}, own);
    const pids = decoderPids().filter((pid) => !before.includes(pid));
    expect(pids).toHaveLength(2);
    await first[Symbol.asyncDispose]();
    await using third = await open({}, own);
    await third.begin();
    await second[Symbol.asyncDispose]();
    expect(decoderPids().filter((pid) => !before.includes(pid))).toEqual(pids);
    // Batch recognition gives way to them.
    expect(pids.map((pid) => os.getPriority(pid))).toEqual([os.getPriority(), os.getPriority()]);
  });

  test('a process that is killed fails its session, and the next one gets another', async () => {
    await using own = createLivePocketSphinx();
    const before = decoderPids();
    {
      await using decoder = await open({}, own);
      await decoder.begin();
      await decoder.feed(spoken[0]!.samples.slice(0, 16_000));
      const [pid] = decoderPids().filter((running) => !before.includes(running));
      process.kill(pid!, 'SIGKILL');
      await waitFor('its end', () => !existsSync(`/proc/${pid}`));
      await expect(decoder.feed(spoken[0]!.samples.slice(16_000))).rejects.toBeInstanceOf(TranscriberFailedError);
      await expect(decoder.finish(0)).rejects.toBeInstanceOf(TranscriberFailedError);
    }
    await using decoder = await open({}, own);
    expect((await hearLive(decoder, spoken[0]!)).final).toEqual(undisturbed[0]!.final);
  });

  test('an abort ends every call with its reason, even while the library is lost', async () => {
    const file = path.join(folder, 'child.cjs');
    writeFileSync(
      file,
      `process.on('message', ({ type }) => { if (type === 'hear') for (;;); });
       require(${JSON.stringify(pocketSphinxChildFile())});`,
    );
    await using lost = createLivePocketSphinx({ childFile: file });
    const leaving = new AbortController();
    const decoder = await open({ signal: leaving.signal }, lost);
    await decoder.begin();
    const feeding = decoder.feed(spoken[0]!.samples);
    feeding.catch(() => {});
    leaving.abort(new Error('the session has moved'));
    await expect(feeding).rejects.toThrow('the session has moved');
    await expect(decoder.finish(0)).rejects.toThrow('the session has moved');
    await decoder[Symbol.asyncDispose]();
    await expect(open({ signal: leaving.signal }, lost)).rejects.toThrow('the session has moved');
  });

  test('a missing model is named with the packages to install', async () => {
    await using none = createLivePocketSphinx({ modelDirectories: ['/nowhere/en-us'] });
    await expect(open({}, none)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });

  test('the library writes nothing to stderr', async () => {
    const { modelDirectory, libraries, childFile } = findPocketSphinx({});
    const limits = { maxMemoryBytes: 512 * 1024 * 1024 };
    await using child = new EngineProcess(startChild(childFile, limits), { name: 'it', answerLimitMs: 60_000 });
    await child.request({ type: 'open', modelDirectory, libraries, for: 'recognition' });
    await child.request({ type: 'useSound', sound: null });
    await child.request({ type: 'begin' });
    await child.request({ type: 'hear', pcm: spoken[0]!.samples });
    await child.request({ type: 'finish' });
    expect(child.complaint).toBe('');
  });
});
