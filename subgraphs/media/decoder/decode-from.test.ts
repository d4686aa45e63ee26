import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { decodeChannels, decodePcm, type DecodeOptions } from './decode-pcm';
import { inspectMedia } from './inspect-media';

const signal = new AbortController().signal;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-decode-from-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(name: string, ...parameters: string[]): string {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...parameters, file]);
  return file;
}
/** 12 s that sound different at every moment. */
const NOISE = ['-f', 'lavfi', '-i', 'anoisesrc=d=12:c=pink:r=44100:a=0.5:seed=7', '-ac', '2'];

async function pcmOf(file: string, options: Partial<DecodeOptions> = {}): Promise<Int16Array> {
  const chunks: number[] = [];
  for await (const chunk of decodePcm(file, { signal, ...options })) chunks.push(...chunk);
  return Int16Array.from(chunks);
}

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'decoding from a moment on', () => {
  test.each([
    ['wav', []],
    ['flac', []],
    ['mp3', ['-q:a', '5']],
    ['without-header.mp3', ['-q:a', '5', '-write_xing', '0']],
    ['opus', ['-c:a', 'libopus', '-b:a', '32k']],
    ['ogg', ['-c:a', 'libvorbis']],
    ['m4a', ['-c:a', 'aac', '-aac_pns', '0']],
    ['aac', ['-c:a', 'aac', '-aac_pns', '0']],
    ['webm', ['-c:a', 'libopus']],
    ['mkv', ['-c:a', 'aac', '-aac_pns', '0']],
    ['ts', ['-c:a', 'aac', '-aac_pns', '0']],
  ])('%s gives the very samples that an unbroken run gives', async (ending, encoding) => {
    const file = make(`noise.${ending}`, ...NOISE, ...encoding);
    const { seeksExactly } = await inspectMedia(file, { signal });
    const whole = await pcmOf(file);
    for (const startMs of [1_234, 7_777]) {
      const part = await pcmOf(file, { startMs, seeksExactly });
      const expected = whole.slice(startMs * 16);
      expect(part).toHaveLength(expected.length);
      // Lossy decoders differ by the last bit at times.
      const farthest = part.reduce((most, sample, at) => Math.max(most, Math.abs(sample - expected[at]!)), 0);
      expect(farthest).toBeLessThanOrEqual(2);
    }
  });

  test('a track that begins late keeps its place', async () => {
    const film = make(
      'late.mp4',
      ...['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=25:d=12', '-itsoffset', '2.5'],
      ...[
        '-f',
        'lavfi',
        '-i',
        'anoisesrc=d=9:r=16000:seed=7',
        '-c:a',
        'aac',
        '-aac_pns',
        '0',
        '-map',
        '0',
        '-map',
        '1',
      ],
    );
    const whole = await pcmOf(film);
    const part = await pcmOf(film, { startMs: 5_100, seeksExactly: true });
    expect(part.slice(0, 16_000)).toEqual(whole.slice(81_600, 97_600));
  });

  test('a moment at the end gives no sound, and is no fault of the file', async () => {
    const file = make('noise.wav', ...NOISE);
    expect(await pcmOf(file, { startMs: 12_000, seeksExactly: true, statedDurationMs: 12_000 })).toHaveLength(0);
  });

  test('evening out the loudness moves no sample, and makes a quiet voice louder', async () => {
    const file = make('quiet.wav', '-f', 'lavfi', '-i', 'sine=f=440:r=44100:d=5.5', '-af', 'volume=-30dB');
    const [plain, even] = [await pcmOf(file), await pcmOf(file, { normalize: true })];
    expect(even).toHaveLength(plain.length);
    const loudness = (pcm: Int16Array): number => pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(loudness(even)).toBeGreaterThan(3 * loudness(plain));
    const crossings = (pcm: Int16Array): number[] =>
      [...pcm.keys()].filter((at) => at > 0 && pcm[at - 1]! < 0 && pcm[at]! >= 0).slice(100, 200);
    expect(crossings(even)).toEqual(crossings(plain));
    const tail = await pcmOf(file, { normalize: true, startMs: 3_000, seeksExactly: true });
    expect(tail).toEqual(even.slice(48_000));
  });

  test('channels come apart, as many as are asked for', async () => {
    const file = make(
      'stereo.wav',
      ...['-f', 'lavfi', '-i', "aevalsrc='0.5*sin(2*PI*440*t)*lt(t,1)|0.5*sin(2*PI*440*t)*gte(t,1)':s=16000:d=2"],
    );
    const sides: number[][] = [[], []];
    for await (const chunk of decodeChannels(file, 2, { signal }))
      chunk.forEach((side, at) => sides[at]!.push(...side));
    const isLoud = (samples: number[] | Int16Array): boolean => samples.some((sample) => Math.abs(sample) > 4_000);
    expect(sides.map((side) => [isLoud(side.slice(0, 16_000)), isLoud(side.slice(16_000))])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(await pcmOf(file, { channel: 1 })).toEqual(Int16Array.from(sides[1]!));
  });
});
