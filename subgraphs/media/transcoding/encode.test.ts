import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { guardedInput } from '../decoder/ffmpeg';
import { encode, encodedMsOf, type EncodeOptions } from './encode';
import { outputParameters } from './encoding';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-encode-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (more: Partial<EncodeOptions> = {}): EncodeOptions => ({
  signal: new AbortController().signal,
  directory: folder,
  onProgress: () => undefined,
  maxDurationMs: 60_000,
  ...more,
});

/** A program in the place of ffmpeg that notes its process id and does as the test wrote. */
function scripted(command: string) {
  const program = path.join(mkdtempSync(path.join(folder, 'program-')), 'ffmpeg');
  writeFileSync(program, `#!/bin/sh\necho $$ > ${program}.pid\n${command}\n`);
  chmodSync(program, 0o755);
  return {
    programs: { ffmpeg: program, ffprobe: 'ffprobe' },
    isRunning: () => existsSync(`/proc/${readFileSync(`${program}.pid`, 'utf8').trim()}`),
  };
}

test('only the measure in microseconds is read', () => {
  expect(encodedMsOf('out_time_us=5015510')).toBe(5_015);
  for (const line of ['out_time_ms=5015510', 'out_time_us=N/A', 'out_time_us=-1', 'progress=end', 'xout_time_us=1']) {
    expect([line, encodedMsOf(line)]).toEqual([line, null]);
  }
});

test('progress never goes back', async () => {
  const told: number[] = [];
  const { programs } = scripted('for ms in 1 5 3 5 N/A 9; do echo out_time_us=${ms}000; done');
  await encode([], options({ programs, onProgress: (ms) => told.push(ms) }));
  expect(told).toEqual([1, 5, 9]);
});

test('an encoder that adds nothing is ended and can be tried again', async () => {
  const { programs, isRunning } = scripted('while :; do echo out_time_us=1000; sleep 0.01; done');
  await expect(encode([], options({ programs, stuckAfterMs: 200 }))).rejects.toMatchObject({ code: 'DECODER_FAILED' });
  expect(isRunning()).toBe(false);
});

test('more than the longest recording is TOO_LONG, whatever the header said', async () => {
  const { programs, isRunning } = scripted('echo out_time_us=62000000; exec sleep 600');
  await expect(encode([], options({ programs }))).rejects.toMatchObject({ reason: 'TOO_LONG' });
  expect(isRunning()).toBe(false);
});

test('an abort ends it with the reason', async () => {
  const { programs, isRunning } = scripted('echo out_time_us=1000; exec sleep 600');
  const leaving = new AbortController();
  const onProgress = (): void => leaving.abort(new Error('canceled'));
  await expect(encode([], options({ programs, signal: leaving.signal, onProgress }))).rejects.toThrow('canceled');
  expect(isRunning()).toBe(false);
});

test.each([
  ['av_interleaved_write_frame(): No space left on device', 'StorageFull'],
  ['Unknown encoder libx264', 'EngineUnavailableError'],
  ['Decoder (codec none) not found for input stream', 'MediaProblem'],
  ['x: Invalid data found when processing input', 'MediaProblem'],
])('"%s" is %s', async (message, name) => {
  const { programs } = scripted(`echo "${message}" >&2; exit 1`);
  await expect(encode([], options({ programs }))).rejects.toMatchObject({ name });
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'on a full disk', () => {
  let disk: string | undefined;
  beforeAll(() => {
    const mountPoint = mkdtempSync(path.join(folder, 'disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint], { encoding: 'utf8' });
    if (mounted.status === 0) disk = mountPoint;
    else console.warn(`No small disk can be mounted here (${mounted.stderr}); the message alone stands in for it.`);
  });
  afterAll(() => void (disk && spawnSync('umount', [disk])));

  test('the encoder says StorageFull, and fits again when there is room', async () => {
    if (!disk) return;
    const sound = path.join(folder, 'sound.flac');
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=d=50', sound]);
    const contents = { hasSound: true, hasPicture: false };
    const make = (length: number) =>
      encode(
        [
          '-t',
          String(length),
          ...guardedInput(sound),
          ...outputParameters({ preset: 'WAV_16K', contents, heightPx: null, subtitles: null }),
        ],
        options({ directory: disk! }),
      );
    await expect(make(50)).rejects.toMatchObject({ name: 'StorageFull' });
    rmSync(path.join(disk, 'output.wav'), { force: true });
    await make(5);
  });
});
