import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { waitFor } from '../../../../platform/testing/wait';
import { noise, silence, Source } from '../conformance/recordings';
import {
  EngineUnavailableError,
  TranscriberFailedError,
  type RecognizedSegment,
  type Transcriber,
} from '../transcriber';
import { createSherpa } from './sherpa';
import { writeSoundModel } from './sound-model.testing';

let folder: string;
let engine: Transcriber | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-sherpa-'));
  writeSoundModel(folder);
});
afterEach(async () => {
  await engine?.[Symbol.asyncDispose]();
  engine = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function open(): Transcriber {
  engine = createSherpa({ directory: folder, languages: ['en'], threads: 1 });
  return engine;
}

/** Silence with a rushing noise in it wherever one is said to be, in milliseconds. */
function sounds(lengthMs: number, ...places: [fromMs: number, toMs: number][]): Int16Array {
  const pcm = silence(lengthMs);
  for (const [fromMs, toMs] of places) pcm.set(noise(toMs - fromMs, 8_000), fromMs * 16);
  return pcm;
}

async function heard(pcm: Int16Array, startMs = 0): Promise<RecognizedSegment[]> {
  const segments: RecognizedSegment[] = [];
  const { signal } = new AbortController();
  for await (const segment of engine!.transcribe(new Source(pcm), { signal, startMs })) segments.push(segment);
  return segments;
}

/** Processes of ours that run the engine's child, as the operating system lists them. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1] === String(process.pid);
        return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sherpa/child.cjs');
      } catch {
        return false; // it has ended
      }
    });
}

test('a real model, run by the real library, hears each sound at its time', async () => {
  open();
  const segments = await heard(sounds(6_000, [1_000, 1_800], [3_500, 4_100]), 10_000);
  expect(segments).toHaveLength(2);
  const [first, second] = segments;
  expect(first).toMatchObject({ index: 0, language: 'en', confidence: null });
  expect(first!.text).toMatch(/^Hello( hello)?$/);
  expect(Math.abs(first!.words[0]!.startMs - 11_000)).toBeLessThan(100);
  expect(Math.abs(second!.words[0]!.startMs - 13_500)).toBeLessThan(100);
});

test('a model that cannot be loaded makes it unavailable, with the reason, which its probe then knows', async () => {
  writeFileSync(path.join(folder, 'model.onnx'), 'this is no model');
  const made = open();
  expect(await made.probe()).toEqual({ available: true });
  const error = await heard(sounds(2_000, [500, 1_500])).catch((reason: unknown) => reason as Error);
  expect(error).toBeInstanceOf(EngineUnavailableError);
  expect((error as Error).message).toContain('cannot load the model in SPEECH_MODEL_DIR');
  expect((error as Error).message).not.toContain(folder);
  expect(await made.probe()).toEqual({ available: false, reason: (error as Error).message });
});

test('a folder without a model tells what is missing', async () => {
  rmSync(path.join(folder, 'tokens.txt'));
  expect(await open().probe()).toEqual({ available: false, reason: expect.stringContaining('no tokens.txt') });
  await expect(heard(silence(100))).rejects.toBeInstanceOf(EngineUnavailableError);
});

test('a process that dies fails its call, and the next call gets another', async () => {
  open();
  await heard(sounds(2_000, [500, 1_500]));
  const [pid] = children();
  async function* source(): AsyncGenerator<Int16Array> {
    yield silence(1_000);
    process.kill(pid!, 'SIGKILL');
    await waitFor('the process to end', () => !children().includes(pid!));
    yield sounds(2_000, [500, 1_500]);
  }
  const call = engine!.transcribe(source(), { signal: new AbortController().signal })[Symbol.asyncIterator]().next();
  await expect(call).rejects.toBeInstanceOf(TranscriberFailedError);
  expect(await heard(sounds(2_000, [500, 1_500]))).toHaveLength(1);
});

test('closing it leaves no process', async () => {
  open();
  await heard(sounds(2_000, [500, 1_500]));
  expect(children()).toHaveLength(1);
  await engine![Symbol.asyncDispose]();
  expect(children()).toEqual([]);
});
