import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildGoldenSpeech, goldenSpeechMissing } from '../../../../platform/testing/golden-speech';
import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { decodePcm } from '../../decoder/decode-pcm';
import type { Aligner, RecognizedSegment } from '../transcriber';
import { createPocketSphinxAligner } from './aligner';
import { createPocketSphinx } from './pocketsphinx';
import { pocketSphinxMissing } from './testing';

jest.setTimeout(120_000);

const signal = new AbortController().signal;
const missing = programMissing('ffmpeg', 'ffmpeg') ?? pocketSphinxMissing() ?? goldenSpeechMissing();

describeWhenInstalled(missing, 'aligning a known text', () => {
  let folder: string;
  let pcm: Int16Array;
  let segments: RecognizedSegment[];
  let aligner: Aligner;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-alignment-'));
    const file = path.join(folder, 'golden.wav');
    await buildGoldenSpeech(file);
    const parts: Int16Array[] = [];
    for await (const part of decodePcm(file, { signal })) parts.push(part);
    pcm = Int16Array.from(parts.flatMap((part) => [...part]));
    await using engine = createPocketSphinx();
    segments = [];
    async function* audio() {
      yield pcm;
    }
    for await (const segment of engine.transcribe(audio(), { signal })) segments.push(segment);
    aligner = createPocketSphinxAligner();
  });
  afterAll(async () => {
    await aligner[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A segment's audio with a little of what is around it. */
  function audioOf({ startMs, endMs }: RecognizedSegment) {
    const fromMs = startMs - 200;
    return { fromMs, audio: pcm.slice(fromMs * 16, (endMs + 200) * 16) };
  }

  function align(audio: Int16Array, words: string[], language = 'en-US') {
    return aligner.align(audio, words, { language, signal });
  }

  test('finds the words where the recognizer has heard them', async () => {
    expect(segments).toHaveLength(10);
    for (const segment of segments) {
      const { audio, fromMs } = audioOf(segment);
      const places = await align(
        audio,
        segment.words.map(({ text }) => text),
      );
      const off = places!.flatMap(({ startMs, endMs }, index) => [
        Math.abs(fromMs + startMs - segment.words[index]!.startMs),
        Math.abs(fromMs + endMs - segment.words[index]!.endMs),
      ]);
      expect(Math.max(...off)).toBeLessThanOrEqual(100);
    }
  });

  test('a word that is replaced leaves the others in their place', async () => {
    const segment = segments[0]!;
    const { audio } = audioOf(segment);
    const words = segment.words.map(({ text }) => text);
    const before = (await align(audio, words))!;
    for (const replacement of ['M-Pesa', '42', 'and/or', 'grammar', 'ñandú']) {
      const after = (await align(audio, words.with(3, replacement)))!;
      expect(after).toHaveLength(words.length);
      const others = after.filter((_, index) => index < 2 || index > 4);
      others.forEach((place, index) => {
        const same = before[index < 2 ? index : index + 3]!;
        expect(Math.abs(place.startMs - same.startMs)).toBeLessThanOrEqual(100);
      });
    }
  });

  test('punctuation takes no time of its own', async () => {
    const segment = segments[1]!;
    const { audio } = audioOf(segment);
    const words = segment.words.map(({ text }) => text);
    const [first, dash, second] = (await align(audio, [words[0]!, '–', ...words.slice(1)]))!;
    expect(dash).toEqual({ startMs: first!.endMs, endMs: first!.endMs });
    expect(second!.startMs).toBeGreaterThanOrEqual(first!.endMs);
  });

  test('answers null for another language, for no words, for a text that cannot be there and for what nobody can say', async () => {
    const { audio } = audioOf(segments[0]!);
    expect(await align(audio, ['habari'], 'sw')).toBeNull();
    expect(await align(audio, [])).toBeNull();
    expect(await align(audio, ['…'])).toBeNull();
    expect(await align(audio.slice(0, 1_600), segments[0]!.text.split(' '))).toBeNull();
    await using mute = createPocketSphinxAligner({ espeak: '/nowhere/espeak-ng' });
    expect(await mute.align(audio, ['Kisumu'], { language: 'en', signal })).toBeNull();
  });

  test('refuses more than a minute', async () => {
    await expect(align(new Int16Array(16_000 * 60 + 1), ['a'])).rejects.toThrow('At most 60 s');
  });

  test('an abort ends an alignment', async () => {
    const cancelling = new AbortController();
    const aligning = aligner.align(pcm.slice(0, 16_000 * 36), ['a'], { language: 'en', signal: cancelling.signal });
    cancelling.abort(new Error('cancelled'));
    await expect(aligning).rejects.toThrow('cancelled');
    const { audio } = audioOf(segments[1]!);
    expect(await align(audio, segments[1]!.text.split(' '))).not.toBeNull();
  });
});
