import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import { decodePcm, type DecodeOptions } from './decode-pcm';
import { inspectMedia } from './inspect-media';

const signal = new AbortController().signal;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-decode-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(name: string, ...parameters: string[]): string {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...parameters, file]);
  return file;
}
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=f=440:r=16000:d=${seconds}`];
/** Loud from 0.5 s on: where the sound begins shows where decoding began. */
const lateTone = ['-f', 'lavfi', '-i', `aevalsrc='0.5*sin(2*PI*440*t)*gte(t,0.5)':s=16000:d=3`];

function write(name: string, content: Buffer | string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

function firstHalf(file: string): string {
  return write(`half-${path.basename(file)}`, readFileSync(file).subarray(0, statSync(file).size / 2));
}

/** An ffmpeg that first writes its process id, so that a test can see and end it. */
function watchedFfmpeg(command = 'exec ffmpeg "$@"') {
  const directory = mkdtempSync(path.join(folder, 'watched-'));
  const program = path.join(directory, 'ffmpeg');
  writeFileSync(program, `#!/bin/sh\necho $$ > ${directory}/pid\n${command}\n`);
  chmodSync(program, 0o755);
  return {
    programs: { ffmpeg: program, ffprobe: 'ffprobe' },
    pid: () => Number(readFileSync(`${directory}/pid`, 'utf8')),
  };
}
/** Gives 2 s of sound and then nothing more, as on a disk that does not answer: a closed pipe alone would not end it. */
const STUCK = 'head -c 64000 /dev/zero; exec sleep 600';

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function decode(file: string, options: Partial<DecodeOptions> = {}) {
  const chunks: Int16Array[] = [];
  let error: unknown;
  try {
    for await (const chunk of decodePcm(file, { signal, ...options })) chunks.push(chunk);
  } catch (thrown) {
    error = thrown;
  }
  const samples = chunks.flatMap((chunk) => [...chunk]);
  return { chunks, samples, ms: samples.length / 16, error };
}

const loudFromMs = (samples: number[]) => samples.findIndex((sample) => Math.abs(sample) > 4_000) / 16;

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'decodePcm', () => {
  test.each(['wav', 'mp3', 'm4a', 'flac', 'ogg', 'webm', 'mkv', 'mp4'])('decodes %s to 16 kHz mono', async (ending) => {
    const { ms, samples, error } = await decode(make(`late.${ending}`, ...lateTone, '-ac', '2', '-ar', '48000'));
    expect(error).toBeUndefined();
    expect(Math.abs(ms - 3_000)).toBeLessThan(100);
    expect(Math.abs(loudFromMs(samples) - 500)).toBeLessThan(40);
  });

  test('chunks are multiples of 100 ms, except the last', async () => {
    const { chunks, ms } = await decode(make('odd.wav', ...tone(5.0333)));
    expect(chunks.slice(0, -1).every((chunk) => chunk.length % 1_600 === 0)).toBe(true);
    expect(ms).toBeCloseTo(5_033.25, 0);
  });

  test('a sound track that begins late is moved to its place', async () => {
    const film = make(
      'delayed.mkv',
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=64x64:r=10:d=3',
      '-itsoffset',
      '1',
      ...tone(2),
      '-c:a',
      'flac',
    );
    const { samples, ms } = await decode(film);
    expect(Math.abs(ms - 3_000)).toBeLessThan(50);
    expect(Math.abs(samples.findIndex((sample) => Math.abs(sample) > 1_000) / 16 - 1_000)).toBeLessThan(50);
  });

  const testWithProc = existsSync('/proc/self/io') ? test : test.skip;
  testWithProc('a reader that is slow holds ffmpeg back', async () => {
    const { programs, pid } = watchedFfmpeg();
    const file = make('hour.flac', '-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '3600');
    const reader = decodePcm(file, { signal, programs });
    await reader.next();
    // Held back, it sleeps in the middle of a write: what it has written stays the same, far from the hour's 115 MB.
    let writtenBefore = -1;
    const writtenBytes = await waitFor('ffmpeg to be held back', () => {
      const written = Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid()}/io`, 'utf8'))?.[1]);
      const isAsleep = /^State:\s+S/m.test(readFileSync(`/proc/${pid()}/status`, 'utf8'));
      const isHeld = isAsleep && written === writtenBefore && written;
      writtenBefore = written;
      return isHeld;
    });
    expect(writtenBytes).toBeLessThan(1_000_000);
    await reader.return();
  });

  test('leaving early ends ffmpeg', async () => {
    const { programs, pid } = watchedFfmpeg(STUCK);
    for await (const chunk of decodePcm('any.wav', { signal, programs })) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(isRunning(pid())).toBe(false);
  });

  test('an abort ends ffmpeg and throws its reason', async () => {
    const { programs, pid } = watchedFfmpeg(STUCK);
    const leaving = new AbortController();
    const reader = decodePcm('any.wav', { signal: leaving.signal, programs });
    await reader.next();
    leaving.abort(new Error('cancelled'));
    await expect(drain(reader)).rejects.toThrow('cancelled');
    expect(isRunning(pid())).toBe(false);
    await expect(decodePcm('any', { signal: leaving.signal }).next()).rejects.toThrow('cancelled');
  });

  test('an ffmpeg that is killed can be tried again', async () => {
    const { programs, pid } = watchedFfmpeg();
    const reader = decodePcm(make('kill.wav', ...tone(600)), { signal, programs });
    await reader.next();
    process.kill(pid(), 'SIGKILL');
    await expect(drain(reader)).rejects.toMatchObject({ code: 'DECODER_FAILED', retryable: true });
  });

  test.each([
    ['half.m4a', ['-movflags', '+faststart']],
    ['half.webm', ['-c:a', 'libopus']],
    ['half.flac', []],
    ['half.mp3', []],
  ] as const)('a cut-off %s gives what there is, then CUT_OFF', async (name, parameters) => {
    const file = firstHalf(make(name, ...tone(20), ...parameters));
    const { audio } = await inspectMedia(file, { signal });
    const { ms, error } = await decode(file, { statedDurationMs: audio.statedDurationMs });
    expect(error).toMatchObject({ reason: 'CUT_OFF', code: 'INVALID_INPUT' });
    expect(ms).toBeGreaterThan(5_000);
    expect(ms).toBeLessThan(15_000);
  });

  test('a sound track without samples is NO_SAMPLES', async () => {
    const file = make('nothing.wav', '-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '0');
    expect((await decode(file)).error).toMatchObject({ reason: 'NO_SAMPLES' });
  });

  test('no sound track, text and an unknown codec are refused by their names', async () => {
    const film = make('silent.mp4', '-f', 'lavfi', '-i', 'testsrc=s=64x64:d=1', '-an');
    expect((await decode(film)).error).toMatchObject({ reason: 'NO_AUDIO' });
    expect((await decode(write('text.wav', 'no sound at all'))).error).toMatchObject({ reason: 'NOT_MEDIA' });
    const bytes = readFileSync(make('pcm.wav', ...tone(1)));
    bytes.writeUInt16LE(0x7777, 20); // the format tag of the WAV header
    expect((await decode(write('codec.wav', bytes))).error).toMatchObject({ reason: 'UNKNOWN_CODEC' });
  });

  test('sound beyond the limit is TOO_LONG, though no header said so', async () => {
    const { error, ms } = await decode(make('long.wav', ...tone(30)), { maxDurationMs: 10_000 });
    expect(error).toMatchObject({ reason: 'TOO_LONG' });
    expect(ms).toBeLessThanOrEqual(10_000);
  });
});

describe('an ffmpeg that says nothing for a minute', () => {
  // Only these: the programs and pipes of the tests are real.
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date', 'hrtime'] }));
  afterEach(() => jest.useRealTimers());

  test.each([
    ['at all', 'exec sleep 600', 0],
    ['in the middle', STUCK, 2_000],
  ])('%s is ended, and can be tried again', async (_when, command, heardMs) => {
    const { programs, pid } = watchedFfmpeg(command);
    const reader = decodePcm('any.wav', { signal, programs });
    let ms = 0;
    while (ms < heardMs) ms += ((await reader.next()).value as Int16Array).length / 16;
    const waiting = reader.next();
    await waitFor('ffmpeg to run', () => existsSync(`${path.dirname(programs.ffmpeg)}/pid`) && pid() > 0);
    jest.advanceTimersByTime(60_000);
    await expect(waiting).rejects.toMatchObject({ code: 'DECODER_FAILED', retryable: true });
    expect(isRunning(pid())).toBe(false);
  });

  test('because its reader takes its time is let alone', async () => {
    const { programs } = watchedFfmpeg('head -c 640000 /dev/zero');
    let samples = 0;
    for await (const chunk of decodePcm('any.wav', { signal, programs })) {
      jest.advanceTimersByTime(60_000);
      samples += chunk.length;
    }
    expect(samples).toBe(320_000);
  });
});

test('ffmpeg is given nothing of our environment but the way to its programs', async () => {
  const { programs } = watchedFfmpeg('env >&2; exit 1');
  process.env.SAUTI_SECRET = 'not for programs that read strangers’ bytes';
  try {
    const { error } = await decode('any.wav', { programs });
    const given = String((error as Error).cause);
    expect(given).toMatch(/PATH=/);
    expect(given).not.toMatch(/SAUTI/);
  } finally {
    delete process.env.SAUTI_SECRET;
  }
});

test('a missing ffmpeg is ENGINE_UNAVAILABLE', async () => {
  const programs = { ffmpeg: '/nowhere/ffmpeg', ffprobe: '/nowhere/ffprobe' };
  const file = write('any.wav', 'RIFF');
  expect((await decode(file, { programs })).error).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});

async function drain(reader: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of reader);
}
