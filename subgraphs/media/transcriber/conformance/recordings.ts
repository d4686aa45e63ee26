import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buildGoldenSpeech, type GoldenUtterance } from '../../../../platform/testing/golden-speech';
import { decodePcm } from '../../decoder/decode-pcm';

const SAMPLES_PER_MS = 16;

export interface Golden {
  pcm: Int16Array;
  utterances: GoldenUtterance[];
}

/** About 36 s of human speech with what is said when. */
export async function goldenRecording(): Promise<Golden> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-golden-'));
  try {
    const file = path.join(folder, 'golden.wav');
    const utterances = await buildGoldenSpeech(file);
    const samples: number[] = [];
    for await (const chunk of decodePcm(file, { signal: new AbortController().signal })) samples.push(...chunk);
    return { pcm: Int16Array.from(samples), utterances };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function silence(ms: number): Int16Array {
  return new Int16Array(ms * SAMPLES_PER_MS);
}

/** The same noise each time: a linear congruential generator (Numerical Recipes). */
export function noise(ms: number, amplitude: number): Int16Array {
  let state = 1;
  return silence(ms).map(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * amplitude;
  });
}

export function cut(pcm: Int16Array, fromMs: number, toMs: number): Int16Array {
  return pcm.subarray(fromMs * SAMPLES_PER_MS, toMs * SAMPLES_PER_MS);
}

export function lengthMs(pcm: Int16Array): number {
  return pcm.length / SAMPLES_PER_MS;
}

/** Gives a recording as ffmpeg does, and tells how far it was read and whether it was ended. */
export class Source implements AsyncIterable<Int16Array> {
  readSamples = 0;
  isEnded = false;

  /** `goesOn`: silence without an end follows. */
  constructor(
    private readonly pcm: Int16Array,
    private readonly goesOn = false,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Int16Array, void, undefined> {
    const chunk = 100 * SAMPLES_PER_MS;
    try {
      for (let from = 0; this.goesOn || from < this.pcm.length; from += chunk) {
        const samples = this.pcm.slice(from, from + chunk);
        this.readSamples += samples.length || chunk;
        yield samples.length > 0 ? samples : silence(100);
        // As with a pipe, the next chunk is not there in the same turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.isEnded = true;
    }
  }
}
