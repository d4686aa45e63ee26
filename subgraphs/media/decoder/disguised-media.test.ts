import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { repositoryRoot } from '../../../platform/root';
import { readPeaks } from '../facts/peaks';
import { readCover, readTags } from '../facts/read-tags';
import { takePicture } from '../facts/take-picture';
import { encode } from '../transcoding/encode';
import { outputParameters } from '../transcoding/encoding';
import { decodePcm } from './decode-pcm';
import { guardedInput } from './ffmpeg';
import { inspectMedia } from './inspect-media';

/*
 * Files that make an unguarded ffmpeg open something else. The victim is a recording beside them: its sound must never
 * come out, and where strace may run, the programs must not even open it, nor a socket.
 */

const signal = new AbortController().signal;
const hasStrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;
let folder: string;
/** In the container that HLS expects of its segments. */
let victim: string;
/** A recording with nothing special but the names it is given. */
let recording: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-disguised-'));
  victim = path.join(folder, 'victim.ts');
  recording = path.join(folder, 'recording.wav');
  for (const file of [victim, recording]) {
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=f=440:r=16000:d=3', file]);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hls = (segment: string) =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\n${segment}\n#EXT-X-ENDLIST\n`;
const wavAsDataUrl = () => `data:audio/wav;base64,${readFileSync(recording).toString('base64')}`;

/** Kinds whose `opens` an unguarded ffmpeg does follow, as the first test proves; the others are refused all the same. */
const DISGUISES: Record<string, { content: () => string; opensVictim?: boolean }> = {
  'an HLS playlist with a path': { content: () => hls('victim.ts'), opensVictim: true },
  'an HLS playlist with a file: address': { content: () => hls(`file://${victim}`), opensVictim: true },
  'an HLS playlist with subfile:': { content: () => hls(`subfile,,start,0,end,9999,,:${victim}`) },
  'an HLS playlist with a data: address': { content: () => hls(wavAsDataUrl()) },
  'an HLS playlist with an http address': { content: () => hls('http://127.0.0.1:9/secret.wav') },
  'an HLS master playlist': { content: () => `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://${victim}\n` },
  'an ffconcat list': { content: () => 'ffconcat version 1.0\nfile victim.ts\n', opensVictim: true },
  'an SDP session': {
    content: () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n',
  },
  'a VobSub index': { content: () => '# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n' },
  'an IMF composition': {
    content: () =>
      '<?xml version="1.0"?>\n<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>\n',
  },
  'a DASH manifest': {
    content: () =>
      `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="audio/wav">` +
      `<Representation id="1" bandwidth="1"><BaseURL>${victim}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  },
  'an M3U list': { content: () => `#EXTM3U\n#EXTINF:3,x\n${victim}\n` },
  'an ASX list': { content: () => `<asx version="3.0"><entry><ref href="${victim}"/></entry></asx>` },
  'a data: address': { content: wavAsDataUrl },
};

const kinds = Object.keys(DISGUISES);
const ENDINGS = ['mp4', 'wav', 'm3u8'];

function write(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

function traced(name: string, program: string, logFile: string): string {
  const script = write(
    `traced-${name}.sh`,
    `#!/bin/sh\nexec strace -f -qq -A -e trace=open,openat,socket,connect -o ${logFile} ${program} "$@"\n`,
  );
  chmodSync(script, 0o755);
  return script;
}

/** Programs that note every file and socket they open. */
function tracedPrograms(logFile: string) {
  const trace = (program: string): string => traced(program, program, logFile);
  return hasStrace ? { ffmpeg: trace('ffmpeg'), ffprobe: trace('ffprobe') } : { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' };
}

/** Opened files that are neither in the directory nor parts of the programs and the system they need. */
function opensOutside(log: string, directory: string): string[] {
  const opened = [...log.matchAll(/\bopen(?:at)?\([^"]*"([^"]*)"[^)]*\) = \d+/g)].map((match) => match[1]!);
  const own = [directory, repositoryRoot(), path.resolve(process.execPath, '../..')];
  const system = /^\/(?:usr\/|lib|etc\/(?:ld\.so|ssl\/openssl\.cnf|fonts|OpenCL)|proc\/|sys\/|dev\/)/;
  return opened.filter(
    (file) => !system.test(file) && !own.some((root) => file === root || file.startsWith(`${root}/`)),
  );
}

async function decodeAll(file: string, programs?: ReturnType<typeof tracedPrograms>): Promise<number> {
  let samples = 0;
  for await (const chunk of decodePcm(file, { signal, ...(programs && { programs }) })) samples += chunk.length;
  return samples;
}

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a disguised playlist', () => {
  test.each(kinds.filter((kind) => DISGUISES[kind]!.opensVictim))('%s does work on an unguarded ffmpeg', (kind) => {
    const file = write('unguarded.mp4', DISGUISES[kind]!.content());
    const pcm = execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-i', file, '-f', 's16le', 'pipe:1']);
    expect(pcm.length).toBeGreaterThan(3 * 16_000);
  });

  test.each(kinds)('%s is refused and opens nothing', async (kind) => {
    for (const ending of ENDINGS) {
      const file = write(`disguised.${ending}`, DISGUISES[kind]!.content());
      const logFile = path.join(folder, `${ending}.log`);
      rmSync(logFile, { force: true });
      const programs = tracedPrograms(logFile);
      const refused = { name: 'MediaProblem', code: 'TYPE_NOT_ALLOWED' };
      // strace slows the start of a program with 200 libraries; the limit of 5 s is not what is tested here.
      await expect(inspectMedia(file, { signal, programs, timeoutMs: 60_000 })).rejects.toMatchObject(refused);
      await expect(decodeAll(file, programs)).rejects.toMatchObject({ name: 'MediaProblem' });
      if (!hasStrace) continue;
      const log = readFileSync(logFile, 'utf8');
      expect(log).toContain(`disguised.${ending}`); // the trace does see what is opened
      expect(log).not.toContain('victim.ts');
      expect(log).not.toMatch(/AF_INET/);
    }
  });

  test.each(kinds)('%s opens nothing for waveform, thumbnail, tags and transcode either', async (kind) => {
    const home = mkdtempSync(path.join(folder, 'home-'));
    const file = path.join(home, 'disguised.mp4');
    writeFileSync(file, DISGUISES[kind]!.content());
    writeFileSync(path.join(home, 'victim.ts'), readFileSync(victim));
    const logFile = path.join(folder, 'callers.log');
    rmSync(logFile, { force: true });
    const programs = tracedPrograms(logFile);
    const node = hasStrace ? traced('node', process.execPath, logFile) : process.execPath;
    const plan = {
      preset: 'MP3',
      contents: { hasSound: true, hasPicture: false },
      heightPx: null,
      subtitles: null,
    } as const;
    const parameters = [...guardedInput(file), ...outputParameters(plan)];
    const onProgress = (): void => undefined;

    await expect(readPeaks(file, { signal, programs })).rejects.toMatchObject({ name: 'MediaProblem' });
    expect(await takePicture(file, home, { atMs: 0, width: 64, signal, maxPixels: 10_000, programs })).toBeNull();
    const encoding = encode(parameters, { signal, directory: home, onProgress, maxDurationMs: 9_000, programs });
    await expect(encoding).rejects.toMatchObject({ name: 'MediaProblem' });
    expect(await readTags(file, signal, node)).toEqual({ artist: null, album: null });
    expect(await readCover(file, signal, node)).toBeNull();

    expect(readdirSync(home).sort()).toEqual(['disguised.mp4', 'victim.ts']);
    if (!hasStrace) return;
    const log = readFileSync(logFile, 'utf8');
    expect(log.split('disguised.mp4').length).toBeGreaterThan(5); // each of them did open it
    expect(opensOutside(log, home)).toEqual([]);
    expect(log).not.toContain('victim.ts');
    expect(log).not.toMatch(/\b(socket|connect)\(/);
  });

  test('a playlist is told apart from a file that is simply no media', async () => {
    const file = write('told.mp4', hls('victim.ts'));
    await expect(inspectMedia(file, { signal })).rejects.toMatchObject({
      reason: 'CONTAINER_NOT_ALLOWED',
      message: expect.stringContaining('hls') as string,
    });
  });

  test.each([
    '-i.wav',
    'concat:victim.ts|victim.ts',
    'subfile,,start,0,end,0,,:victim.ts',
    'data:audio,x',
    '%03d.wav',
    'a*[b]?.wav',
  ])('a recording named "%s" is read as itself', async (name) => {
    const file = path.join(folder, name);
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', recording, '-t', '1', '-f', 'wav', `file:${file}`]);
    expect((await inspectMedia(file, { signal })).durationMs).toBe(1_000);
    expect(await decodeAll(file)).toBe(16_000);
  });

  test.each(['-i.wav', 'concat:victim.ts|victim.ts', 'subfile,,start,0,end,0,,:victim.ts'])(
    'a relative path "%s" is no option and no protocol',
    async (name) => {
      const home = process.cwd();
      process.chdir(folder);
      try {
        execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', recording, '-t', '1', '-f', 'wav', `file:${name}`]);
        expect((await inspectMedia(name, { signal })).durationMs).toBe(1_000);
        expect(await decodeAll(name)).toBe(16_000);
      } finally {
        process.chdir(home);
      }
    },
  );

  test('a playlist behind a real recording is not followed', async () => {
    const file = path.join(folder, 'both.wav');
    writeFileSync(file, Buffer.concat([readFileSync(recording), Buffer.from(hls('victim.ts'))]));
    expect(await decodeAll(file)).toBe(48_000);
  });
});
