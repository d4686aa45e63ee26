import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  buildGoldenSpeech,
  goldenSpeechMissing,
  wordErrorRate,
  type GoldenUtterance,
} from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { repositoryRoot } from '../../../../platform/root';
import { waitFor } from '../../../../platform/testing/wait';
import { decodePcm } from '../../decoder/decode-pcm';
import { inspectMedia } from '../../decoder/inspect-media';
import { createPocketSphinx } from './pocketsphinx';
import { pocketSphinxChildFile } from './installation';
import { pocketSphinxMissing } from './testing';
import type { RecognizedSegment, TranscribeOptions, Transcriber } from '../transcriber';

// A recording of 36 s takes 5 s of CPU; on a machine that does other work, several times that.
jest.setTimeout(240_000);

const signal = new AbortController().signal;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-speech-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const missing = programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing();

async function transcribe(engine: Transcriber, file: string, options: Partial<TranscribeOptions> = {}) {
  const call = { signal, ...options };
  const segments: RecognizedSegment[] = [];
  for await (const segment of engine.transcribe(decodePcm(file, { signal: call.signal }), call)) segments.push(segment);
  return segments;
}

/** The decoders this process has at the moment. */
function decoderPids(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pocketsphinx/child/main.cjs'))
    .map(Number);
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

const textOf = (segments: Array<{ text: string }>) => segments.map((segment) => segment.text).join(' ');

describeWhenInstalled(missing, 'PocketSphinx', () => {
  let golden: GoldenUtterance[];
  let goldenFile: string;
  let engine: Transcriber;

  beforeAll(async () => {
    goldenFile = path.join(folder, 'golden.wav');
    golden = await buildGoldenSpeech(goldenFile);
    engine = createPocketSphinx();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('is available here', async () => {
    expect(await engine.probe()).toEqual({ available: true });
  });

  test.each([
    ['wav', [], 0.02],
    ['mp3', ['-b:a', '64k'], 0.02],
    ['m4a', ['-b:a', '64k'], 0.02],
    ['webm', ['-c:a', 'libopus', '-b:a', '24k'], 0.06],
  ])('hears ten human sentences in %s, in order and at their time', async (ending, parameters, limit) => {
    const file = path.join(folder, `speech.${ending}`);
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', goldenFile, ...parameters, file]);
    await inspectMedia(file, { signal });
    const segments = await transcribe(engine, file);
    const errorRate = wordErrorRate(textOf(golden), textOf(segments));
    process.stderr.write(`golden.${ending}: WER ${(errorRate * 100).toFixed(1)} %\n`);

    expect(errorRate).toBeLessThanOrEqual(limit);
    expect(segments.map((segment) => segment.index)).toEqual(golden.map((_, index) => index));
    segments.forEach((segment, index) => expectAtItsTime(segment, golden[index]!));
  });

  function expectAtItsTime(segment: RecognizedSegment, spoken: GoldenUtterance): void {
    expect(Math.abs(segment.startMs - spoken.startMs)).toBeLessThan(400);
    expect(segment.text).toMatch(/^[A-Z].*\.$/);
    expect(segment.confidence).toBeGreaterThan(0);
    expect(segment.confidence).toBeLessThanOrEqual(1);
    let previousEndMs = segment.startMs;
    for (const word of segment.words) {
      expect(Number.isInteger(word.startMs) && Number.isInteger(word.endMs)).toBe(true);
      expect(word.startMs).toBeGreaterThanOrEqual(previousEndMs);
      expect(word.endMs).toBeGreaterThan(word.startMs);
      previousEndMs = word.endMs;
    }
    expect(segment.endMs).toBe(previousEndMs);
    expect(segment.endMs).toBeLessThanOrEqual(spoken.endMs + 400);
  }

  test('adds the place of the first sample to every time', async () => {
    const [first] = await transcribe(engine, excerpt('first.wav', 0, 3.2));
    const [later] = await transcribe(engine, excerpt('first.wav', 0, 3.2), { startMs: 60_000 });
    expect(later!.startMs).toBe(first!.startMs + 60_000);
    expect(later!.words[0]!.startMs).toBe(first!.words[0]!.startMs + 60_000);
  });

  test('a recording gives the same result whatever was heard before it and however its audio arrives', async () => {
    const file = excerpt('same.wav', 0, 13.5);
    const alone = await transcribe(engine, file);
    await transcribe(engine, excerpt('other.wav', 20, 4));
    expect(await transcribe(engine, file)).toEqual(alone);
    async function* inCrumbs() {
      for await (const chunk of decodePcm(file, { signal })) {
        for (let from = 0; from < chunk.length; from += 777) yield chunk.subarray(from, from + 777);
      }
    }
    const again: RecognizedSegment[] = [];
    for await (const segment of engine.transcribe(inCrumbs(), { signal })) again.push(segment);
    expect(again).toEqual(alone);
  });

  test('a pause inside an utterance does not shift the words after it', async () => {
    // The first two sentences with 300 ms between them: too little to end an utterance.
    const file = path.join(folder, 'pause.wav');
    const join = `[0]atrim=0:2.55,apad=pad_dur=0.3[a];[0]atrim=3.45:6,asetpts=N/SR/TB[b];[a][b]concat=n=2:v=0:a=1`;
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', goldenFile, '-filter_complex', join, file]);
    const [utterance, ...others] = await transcribe(engine, file);
    expect(others).toEqual([]);
    const recording = utterance!.words.find((word) => word.text.startsWith('record'));
    const [, separate] = await transcribe(engine, excerpt('short.wav', 0, 6));
    const expected = separate!.words.find((word) => word.text.startsWith('record'));
    expect(Math.abs(recording!.startMs - (expected!.startMs - 3_450 + 2_850))).toBeLessThan(50);
  });

  test.each([5.1, 5.2, 5.3, 5.4, 5.5])('a recording cut off at %s s has no word behind its end', async (seconds) => {
    const segments = await transcribe(engine, excerpt('cut.wav', 0, seconds));
    expect(segments.at(-1)!.endMs).toBeLessThanOrEqual(seconds * 1_000);
  });

  test('two calls on one decoder both succeed', async () => {
    const file = excerpt('short.wav', 0, 6);
    const [first, second] = await Promise.all([transcribe(engine, file), transcribe(engine, file)]);
    expect(textOf(first)).toBe(textOf(second));
    expect(first).toHaveLength(2);
  });

  test('a caller that waits for a decoder can leave', async () => {
    const leaving = new AbortController();
    const file = excerpt('short.wav', 0, 6);
    const first = transcribe(engine, file);
    const waiting = transcribe(engine, file, { signal: leaving.signal });
    leaving.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    expect(await first).toHaveLength(2);
  });

  test('an abort in the middle of an utterance frees the decoder for the next call', async () => {
    const cancelling = new AbortController();
    async function* abortedInTheFirstSentence() {
      let takenMs = 0;
      for await (const chunk of decodePcm(goldenFile, { signal })) {
        for (let from = 0; from < chunk.length; from += 1_600) {
          if ((takenMs += 100) === 1_500) cancelling.abort(new Error('cancelled'));
          yield chunk.subarray(from, from + 1_600);
        }
      }
    }
    const reading = engine
      .transcribe(abortedInTheFirstSentence(), { signal: cancelling.signal })
      [Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toThrow('cancelled');
    expect(await transcribe(engine, excerpt('short.wav', 0, 6))).toHaveLength(2);
  });

  test('a request that an abort left unanswered does not answer the next call', async () => {
    const samples: number[] = [];
    for await (const chunk of decodePcm(excerpt('short.wav', 0, 6), { signal })) samples.push(...chunk);
    const cancelling = new AbortController();
    async function* abortedInTheDecoder() {
      setImmediate(() => cancelling.abort(new Error('cancelled'))); // by then the decoder is at work on the 6 s
      yield Int16Array.from(samples);
    }
    const reading = engine.transcribe(abortedInTheDecoder(), { signal: cancelling.signal })[Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toThrow('cancelled');
    expect(await transcribe(engine, excerpt('short.wav', 0, 6))).toHaveLength(2);
  });

  test('an abort is answered while the source of the audio is silent', async () => {
    const cancelling = new AbortController();
    const stuck: AsyncIterable<Int16Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          setImmediate(() => cancelling.abort(new Error('cancelled')));
          return new Promise(() => {});
        },
      }),
    };
    const reading = engine.transcribe(stuck, { signal: cancelling.signal })[Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toThrow('cancelled');
    expect(await transcribe(engine, excerpt('short.wav', 0, 6))).toHaveLength(2);
  });

  test('leaving after the first segment ends the source and frees the decoder', async () => {
    let isEnded = false;
    async function* watched() {
      try {
        yield* decodePcm(goldenFile, { signal });
      } finally {
        isEnded = true;
      }
    }
    for await (const segment of engine.transcribe(watched(), { signal })) {
      expect(segment.index).toBe(0);
      break;
    }
    expect(isEnded).toBe(true);
    expect(await transcribe(engine, excerpt('short.wav', 0, 6))).toHaveLength(2);
  });

  test('audio is taken only as fast as it is recognised', async () => {
    let takenMs = 0;
    let recognisedMs = 0;
    let aheadMs = 0;
    async function* counted() {
      for await (const chunk of decodePcm(goldenFile, { signal })) {
        takenMs += chunk.length / 16;
        aheadMs = Math.max(aheadMs, takenMs - recognisedMs);
        yield chunk;
      }
    }
    for await (const segment of engine.transcribe(counted(), { signal })) recognisedMs = segment.endMs;
    // A sentence of 3 s, the pause that ends it, the gap, and the one chunk in hand (ffmpeg's pipe: 2 s).
    expect(aheadMs).toBeLessThan(10_000);
  });

  test('what the source throws reaches the caller, and the decoder is free', async () => {
    async function* broken(): AsyncGenerator<Int16Array> {
      yield new Int16Array(1_600);
      throw new Error('the disk is gone');
    }
    await expect(engine.transcribe(broken(), { signal })[Symbol.asyncIterator]().next()).rejects.toThrow(
      'the disk is gone',
    );
    expect(await transcribe(engine, excerpt('short.wav', 0, 6))).toHaveLength(2);
  });

  test('a library that crashes fails its call retryably, and the next call gets a new process', async () => {
    const flag = path.join(folder, 'died');
    // The real process, except that the first one crashes in the middle of an utterance, as if in a C function.
    await using crashing = createPocketSphinx({
      childFile: childThat(`if (type === 'finish' && !fs.existsSync(${JSON.stringify(flag)})) {
        fs.writeFileSync(${JSON.stringify(flag)}, ''); process.kill(process.pid, 'SIGSEGV');
      }`),
    });
    const file = excerpt('short.wav', 0, 6);
    const waiting = [transcribe(crashing, file), transcribe(crashing, file)];
    await expect(waiting[0]).rejects.toMatchObject({ code: 'ENGINE_FAILED', retryable: true });
    expect(await waiting[1]).toHaveLength(2);
  });

  test('a library that takes too much memory fails its call, and nothing else', async () => {
    // Unless it is refused, it writes a gigabyte.
    await using greedy = createPocketSphinx({
      childFile: childThat(`if (type === 'begin') {
        const taken = []; for (let n = 0; n < 64; n++) taken.push(Buffer.alloc(16 * 1024 * 1024, 1));
      }`),
    });
    await expect(transcribe(greedy, excerpt('short.wav', 0, 6))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect(await transcribe(engine, excerpt('short.wav', 0, 6))).toHaveLength(2);
  });

  test('an abort ends a process that is lost in the library', async () => {
    const pidFile = path.join(folder, 'lost.pid');
    await using lost = createPocketSphinx({
      childFile: childThat(`if (type === 'finish') {
        fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);
      }`),
    });
    const cancelling = new AbortController();
    const reading = transcribe(lost, excerpt('short.wav', 0, 6), { signal: cancelling.signal });
    reading.catch(() => {});
    const pid = await waitFor('the process to be lost', () => Number(readFileSync(pidFile, 'utf8')));
    cancelling.abort(new Error('cancelled'));
    await expect(reading).rejects.toThrow('cancelled');
    await waitFor('its end', () => !isRunning(pid), 2_000);
  });

  test('a decoder ends with the process it works for, even when that is killed and it is lost in the library', async () => {
    const pidFile = path.join(folder, 'orphan.pid');
    const childFile = childThat(`if (type === 'begin') {
      fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);
    }`);
    const script = path.join(folder, 'parent.ts');
    const module = path.join(repositoryRoot(), 'subgraphs/media/transcriber/pocketsphinx/pocketsphinx');
    writeFileSync(
      script,
      `import { createPocketSphinx } from ${JSON.stringify(module)};
       async function* tone() { yield Int16Array.from({ length: 32_000 }, (_, n) => 8_000 * Math.sin(n / 5)); }
       const engine = createPocketSphinx({ childFile: ${JSON.stringify(childFile)} });
       void (async () => { for await (const _ of engine.transcribe(tone(), { signal: new AbortController().signal })); })();`,
    );
    const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
    const parent = spawn(process.execPath, ['-r', register, script], { cwd: repositoryRoot(), stdio: 'inherit' });
    const pid = await waitFor('the process to be lost', () => Number(readFileSync(pidFile, 'utf8')));
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitFor('its end', () => !isRunning(pid), 2_000);
  });

  test('a decoder knows nothing of our environment, has a bound on its memory and gives way to live ones', async () => {
    process.env['SAUTI_SECRET'] = 'not for the ears of a library';
    try {
      await using own = createPocketSphinx();
      const before = decoderPids();
      await transcribe(own, excerpt('short.wav', 0, 6));
      const pid = decoderPids().find((found) => !before.includes(found))!;
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      expect(environment).toContain('PATH=');
      expect(environment).not.toContain('SAUTI_SECRET');
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max data size +536870912/);
      expect(os.getPriority(pid)).toBe(Math.min(19, os.getPriority() + 10));
    } finally {
      delete process.env['SAUTI_SECRET'];
    }
  });

  test('two hours of silence are read to the end in bounded memory and hold no segment', async () => {
    const file = path.join(folder, 'silence.flac');
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '7200', file]);
    let readMs = 0;
    let peakBytes = 0;
    let longestTurnMs = 0;
    let turnFrom = performance.now();
    let isReading = true;
    (function watchTurns() {
      longestTurnMs = Math.max(longestTurnMs, performance.now() - turnFrom);
      turnFrom = performance.now();
      if (isReading) setImmediate(watchTurns);
    })();
    const before = process.memoryUsage().rss;
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    async function* counted() {
      for await (const chunk of decodePcm(file, { signal })) {
        readMs += chunk.length / 16;
        peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - before);
        yield chunk;
      }
    }
    const segments: RecognizedSegment[] = [];
    for await (const segment of engine.transcribe(counted(), { signal })) segments.push(segment);
    isReading = false;
    const { user, system } = process.cpuUsage(cpuBefore);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stderr.write(
      `two hours of silence: ${seconds} s, ${((user + system) / 1e6).toFixed(1)} s CPU, +${Math.round(peakBytes / 1e6)} MB, ` +
        `longest turn ${Math.round(longestTurnMs)} ms\n`,
    );
    expect(segments).toEqual([]);
    expect(readMs).toBe(7_200_000);
    // The decoded audio is 230 MB; only pieces of it may be alive at a time.
    expect(peakBytes).toBeLessThan(120 * 1024 * 1024);
  });

  test('a source that never waits leaves turns to the other work of the process', async () => {
    let turns = 0;
    let isReading = true;
    (function countTurns() {
      turns++;
      if (isReading) setImmediate(countTurns);
    })();
    const second = new Int16Array(16_000);
    let turnsMeanwhile = 0;
    async function* silentHour() {
      const turnsBefore = turns;
      for (let passed = 0; passed < 3_600; passed++) yield second;
      turnsMeanwhile = turns - turnsBefore;
    }
    for await (const _ of engine.transcribe(silentHour(), { signal }));
    isReading = false;
    expect(turnsMeanwhile).toBeGreaterThan(300);
  });

  test('a language without a model is refused before anything is read', async () => {
    const reading = engine
      .transcribe(decodePcm('/nowhere', { signal }), { signal, language: 'sw' })
      [Symbol.asyncIterator]();
    await expect(reading.next()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('en-US') as string,
    });
    expect(await transcribe(engine, excerpt('short.wav', 0, 6), { language: 'en-ZA' })).toHaveLength(2);
  });

  /** The real script, except that it first does something with a request of this `type`. */
  function childThat(does: string): string {
    const file = path.join(mkdtempSync(path.join(folder, 'child-')), 'child.cjs');
    writeFileSync(
      file,
      `const fs = require('node:fs'); process.on('message', ({ type }) => { ${does} });
       require(${JSON.stringify(pocketSphinxChildFile())});`,
    );
    return file;
  }

  function excerpt(name: string, fromSeconds: number, seconds: number): string {
    const file = path.join(folder, name);
    const range = ['-ss', String(fromSeconds), '-t', String(seconds)];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...range, '-i', goldenFile, file]);
    return file;
  }
});

describe('PocketSphinx that is not installed', () => {
  test('a missing model is named with the packages to install', async () => {
    await using engine = createPocketSphinx({ modelDirectories: ['/nowhere/en-us', '/nothing/en-us'] });
    const reason = expect.stringMatching(
      /\/nowhere\/en-us or \/nothing\/en-us\..*apt-get install .*pocketsphinx-en-us/,
    ) as string;
    expect(await engine.probe()).toEqual({ available: false, reason });
    async function* none() {}
    await expect(engine.transcribe(none(), { signal })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: reason,
    });
  });

  test('a missing library is named with the packages to install', async () => {
    const modelDirectory = path.join(folder, 'model');
    execFileSync('mkdir', ['-p', path.join(modelDirectory, 'en-us')]);
    for (const part of ['en-us/mdef', 'cmudict-en-us.dict', 'en-us.lm.bin']) {
      writeFileSync(path.join(modelDirectory, part), '');
    }
    const libraries = { sphinxbase: 'libnowhere.so.3', pocketsphinx: 'libpocketsphinx.so.3' };
    await using engine = createPocketSphinx({ modelDirectories: [modelDirectory], libraries });
    const reason = expect.stringMatching(
      /libnowhere\.so\.3.*apt-get install libpocketsphinx3 libsphinxbase3/,
    ) as string;
    expect(await engine.probe()).toEqual({ available: false, reason });
  });
});
