import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { probeFfmpeg } from './ffmpeg';
import { inspectMedia } from './inspect-media';

const signal = new AbortController().signal;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-inspect-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a file with ffmpeg; the name's ending chooses the container. */
function make(name: string, ...parameters: string[]): string {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...parameters, file]);
  return file;
}
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=f=440:r=16000:d=${seconds}`];

function write(name: string, content: string | Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

function firstHalf(file: string): string {
  return write(`half-${path.basename(file)}`, readFileSync(file).subarray(0, statSync(file).size / 2));
}

describeWhenInstalled(programMissing('ffprobe', 'ffmpeg'), 'inspectMedia', () => {
  test('tells codec, rate, channels and length of a sound file', async () => {
    const file = make('tone.flac', ...tone(2), '-ac', '2');
    expect(await inspectMedia(file, { signal })).toEqual({
      durationMs: 2_000,
      seeksExactly: true,
      audio: { codec: 'flac', sampleRateHz: 16_000, channels: 2, statedDurationMs: 2_000 },
      video: null,
    });
  });

  test('tells the picture of a video, but not cover art', async () => {
    const film = make('film.mp4', ...tone(1), '-f', 'lavfi', '-i', 'testsrc=s=320x180:r=10:d=1', '-c:v', 'libx264');
    expect((await inspectMedia(film, { signal })).video).toEqual({ codec: 'h264', width: 320, height: 180 });
    const picture = make('cover.png', '-f', 'lavfi', '-i', 'testsrc=s=64x64:d=1', '-frames:v', '1');
    const song = make(
      'song.mp3',
      ...tone(1),
      '-i',
      picture,
      '-map',
      '0',
      '-map',
      '1',
      '-disposition:v',
      'attached_pic',
    );
    expect(await inspectMedia(song, { signal })).toMatchObject({ audio: { codec: 'mp3' }, video: null });
  });

  test('takes a length estimated from the bit rate for an estimate', async () => {
    const { durationMs, audio } = await inspectMedia(make('raw.aac', ...tone(3)), { signal });
    expect(durationMs).toBeGreaterThan(1_000);
    expect(audio.statedDurationMs).toBeNull();
  });

  test('does not care what the file is called', async () => {
    const file = path.join(folder, 'a recording, really');
    copyFileSync(make('named.wav', ...tone(1)), file);
    expect((await inspectMedia(file, { signal })).audio.codec).toBe('pcm_s16le');
  });

  test('an empty file is EMPTY_FILE', async () => {
    await expect(inspectMedia(write('empty.wav', ''), { signal })).rejects.toMatchObject({
      reason: 'EMPTY_FILE',
      code: 'INVALID_INPUT',
    });
  });

  test.each(['wav', 'mp3', 'mp4', 'm4a', 'flac', 'ogg', 'webm', 'aac', 'ac3', 'eac3', 'amr', 'mpg', 'ts', 'txt', ''])(
    'text with the ending "%s" is NOT_MEDIA',
    async (ending) => {
      const file = write(`text.${ending}`, 'Dear all, the meeting is on Monday.\n'.repeat(40));
      await expect(inspectMedia(file, { signal })).rejects.toMatchObject({
        reason: 'NOT_MEDIA',
        code: 'TYPE_NOT_ALLOWED',
      });
    },
  );

  test('a sound track of 0 seconds is NO_SAMPLES', async () => {
    const file = make('nothing.wav', '-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '0');
    await expect(inspectMedia(file, { signal })).rejects.toMatchObject({ reason: 'NO_SAMPLES', code: 'INVALID_INPUT' });
  });

  test('an unknown codec is UNKNOWN_CODEC', async () => {
    const bytes = readFileSync(make('pcm.wav', ...tone(1)));
    bytes.writeUInt16LE(0x7777, 20); // the format tag of the WAV header
    await expect(inspectMedia(write('codec.wav', bytes), { signal })).rejects.toMatchObject({
      reason: 'UNKNOWN_CODEC',
      code: 'UNSUPPORTED',
    });
  });

  test('a film without sound is NO_AUDIO', async () => {
    const file = make('silent.mp4', '-f', 'lavfi', '-i', 'testsrc=s=64x64:d=1', '-an');
    await expect(inspectMedia(file, { signal })).rejects.toMatchObject({ reason: 'NO_AUDIO', code: 'INVALID_INPUT' });
  });

  test('a WAV or MP4 whose end is missing is CUT_OFF', async () => {
    for (const file of [make('whole.wav', ...tone(2)), make('whole.m4a', ...tone(2))]) {
      await expect(inspectMedia(firstHalf(file), { signal })).rejects.toMatchObject({
        reason: 'CUT_OFF',
        code: 'INVALID_INPUT',
      });
    }
  });

  test('a WAV written to a pipe, which cannot state its size, is whole', async () => {
    const bytes = execFileSync('ffmpeg', ['-v', 'error', ...tone(1), '-f', 'wav', 'pipe:1']);
    expect(bytes.readUInt32LE(4)).toBe(0xffff_ffff);
    expect((await inspectMedia(write('piped.wav', bytes), { signal })).audio.codec).toBe('pcm_s16le');
  });

  test('media above the limit is TOO_LONG', async () => {
    const file = make('long.wav', ...tone(3));
    await expect(inspectMedia(file, { signal, maxDurationMs: 2_999 })).rejects.toMatchObject({ reason: 'TOO_LONG' });
    await expect(inspectMedia(file, { signal, maxDurationMs: 3_000 })).resolves.toMatchObject({ durationMs: 3_000 });
  });

  test('an abort ends it with the reason', async () => {
    const file = make('abort.wav', ...tone(1));
    const leaving = new AbortController();
    const inspecting = inspectMedia(file, { signal: leaving.signal });
    leaving.abort(new Error('the client left'));
    await expect(inspecting).rejects.toThrow('the client left');
  });

  test('a probe out of time can be tried again', async () => {
    const slow = write('slow.sh', '#!/bin/sh\nexec sleep 60\n');
    execFileSync('chmod', ['+x', slow]);
    const file = make('time.wav', ...tone(1));
    const programs = { ffmpeg: 'ffmpeg', ffprobe: slow };
    await expect(inspectMedia(file, { signal, timeoutMs: 50, programs })).rejects.toMatchObject({
      code: 'DECODER_FAILED',
      retryable: true,
    });
  });

  test('a path that does not exist is the file system’s error', async () => {
    await expect(inspectMedia(path.join(folder, 'none.wav'), { signal })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('ffmpeg is available with its version', async () => {
    expect(await probeFfmpeg()).toEqual({ available: true, version: expect.stringMatching(/\d/) as string });
  });
});

test('ffprobe is given nothing of our environment but the way to its programs', async () => {
  const program = write('env.sh', `#!/bin/sh\nenv > ${folder}/environment\nexit 1\n`);
  execFileSync('chmod', ['+x', program]);
  process.env.SAUTI_SECRET = 'not for programs that read strangers’ bytes';
  try {
    const programs = { ffmpeg: 'ffmpeg', ffprobe: program };
    await expect(inspectMedia(write('any.wav', 'RIFF'), { signal, programs })).rejects.toThrow();
  } finally {
    delete process.env.SAUTI_SECRET;
  }
  const given = readFileSync(path.join(folder, 'environment'), 'utf8');
  expect(given).toMatch(/^PATH=/m);
  expect(given).not.toMatch(/SAUTI/);
});

test('a missing ffmpeg is named with the command that installs it', async () => {
  const programs = { ffmpeg: '/nowhere/ffmpeg', ffprobe: '/nowhere/ffprobe' };
  const reason = expect.stringContaining('apt-get install ffmpeg') as string;
  expect(await probeFfmpeg(programs)).toEqual({ available: false, reason });
  await expect(inspectMedia(write('any.wav', 'RIFF'), { signal, programs })).rejects.toMatchObject({
    code: 'ENGINE_UNAVAILABLE',
    message: reason,
  });
});
