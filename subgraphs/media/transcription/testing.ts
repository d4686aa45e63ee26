import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  PieceRule,
  RecognizedSegment,
  TranscribeOptions,
  Transcriber,
  TranscriberInfo,
} from '../transcriber/transcriber';

/** A word of the language that {@link toneEngine} understands: a tone of 200 ms whose pitch is its number. */
export interface Tone {
  number: number;
  startMs: number;
}

const TONE_MS = 200;
const HZ_PER_NUMBER = 40;
const FIRST_HZ = 400;
const FRAME = 160;

/** Phrases of three tones with 100 ms between them, 700 ms between phrases; numbers 0 to 49 over and over. */
export function tonesFor(durationMs: number): Tone[] {
  const tones: Tone[] = [];
  for (let startMs = 300, at = 0; startMs + TONE_MS < durationMs; at++) {
    tones.push({ number: at % 50, startMs });
    startMs += TONE_MS + (at % 3 === 2 ? 700 : 100);
  }
  return tones;
}

/** 16 kHz PCM of the tones between two moments. */
export function soundOf(tones: readonly Tone[], fromMs: number, toMs: number): Int16Array {
  const samples = new Int16Array((toMs - fromMs) * 16);
  for (const { number, startMs } of tones) {
    const step = (2 * Math.PI * (FIRST_HZ + number * HZ_PER_NUMBER)) / 16_000;
    for (let at = Math.max(startMs, fromMs) * 16; at < Math.min(startMs + TONE_MS, toMs) * 16; at++) {
      samples[at - fromMs * 16] = 12_000 * Math.sin(step * (at - startMs * 16));
    }
  }
  return samples;
}

/** A WAV file of the tones, 16 kHz; with several lists one channel for each. */
export function toneWav(durationMs: number, ...channels: (readonly Tone[])[]): Buffer {
  const sounds = channels.map((tones) => soundOf(tones, 0, durationMs));
  const body = Buffer.alloc(sounds.length * durationMs * 32);
  sounds.forEach((sound, channel) =>
    sound.forEach((sample, at) => body.writeInt16LE(sample, (at * sounds.length + channel) * 2)),
  );
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + body.length, 4);
  header.write('WAVEfmt ', 8);
  [16, 0x10000 * sounds.length + 1, 16_000, 32_000 * sounds.length, 0x100000 + 2 * sounds.length].forEach((value, at) =>
    header.writeUInt32LE(value, 16 + at * 4),
  );
  header.write('data', 36);
  header.writeUInt32LE(body.length, 40);
  return Buffer.concat([header, body]);
}

/** What a test sees of the engine's calls, and may do in them. */
export interface ToneEngine extends Transcriber {
  calls: TranscribeOptions[];
  /** Calls under way now, and at most so far. */
  running: number;
  mostRunning: number;
  /** Called at the beginning of each call; may wait, or throw as an engine would. */
  before: (options: TranscribeOptions, call: number) => Promise<void> | void;
  /** Writes a word for a number; default `n7`. */
  word: (number: number) => string;
}

/** An engine that really listens: it writes a segment for each tone, at its place. A tone that is cut in two is two words. */
export function toneEngine(pieces: PieceRule | null, info: Partial<TranscriberInfo> = {}): ToneEngine {
  const engine: ToneEngine = {
    calls: [],
    running: 0,
    mostRunning: 0,
    before: () => undefined,
    word: (number) => `n${number}`,
    info: {
      id: 'tones',
      task: 'RECOGNIZE',
      local: true,
      languages: ['en-US', 'sw'],
      streaming: false,
      wordTimes: true,
      speakers: false,
      confidence: true,
      grammar: true,
      detectsLanguage: false,
      punctuation: false,
      maxKeyterms: 1_000,
      quality: 'Understands tones.',
      version: '1',
      pieces,
      ...info,
    },
    probe: async () => ({ available: true }),
    async *transcribe(pcm, options) {
      engine.calls.push(options);
      engine.mostRunning = Math.max(engine.mostRunning, ++engine.running);
      try {
        await engine.before(options, engine.calls.length);
        options.signal.throwIfAborted();
        yield* listen(pcm, options, engine.word);
      } finally {
        engine.running--;
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return engine;
}

async function* listen(
  pcm: AsyncIterable<Int16Array>,
  { startMs = 0, language = 'en-US', signal }: TranscribeOptions,
  word: (number: number) => string,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  let [frame, began, crossings, index, last] = [0, -1, 0, 0, 0];
  const ended = (): RecognizedSegment => {
    const beginMs = startMs + began * 10;
    const endMs = startMs + frame * 10;
    const number = Math.round((crossings / 2 / ((endMs - beginMs) / 1_000) - FIRST_HZ) / HZ_PER_NUMBER);
    [began, crossings] = [-1, 0];
    const text = word(number);
    const words = [{ text, startMs: beginMs, endMs, confidence: 0.8 }];
    return { index: index++, text, startMs: beginMs, endMs, confidence: 0.8, language, words };
  };
  for await (const samples of pcm) {
    signal.throwIfAborted();
    for (let at = 0; at + FRAME <= samples.length; at += FRAME, frame++) {
      const part = samples.subarray(at, at + FRAME);
      const isLoud = part.some((sample) => Math.abs(sample) > 4_000);
      if (isLoud && began < 0) began = frame;
      if (!isLoud && began >= 0) yield ended();
      for (const sample of isLoud ? part : []) {
        crossings += last < 0 !== sample < 0 ? 1 : 0;
        last = sample;
      }
    }
    await nextTurn();
  }
  if (began >= 0) yield ended();
}
