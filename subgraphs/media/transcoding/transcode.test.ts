import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { deriveCallKey } from '../../../platform/identity/call-identity';
import type { Viewer } from '../../../platform/identity/viewer';
import { silentLogger } from '../../../platform/logger';
import { requestCancel } from '../../../platform/jobs/job-commands';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { anUpload, askFor, aViewer } from '../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import { createFilesSubgraph } from '../../files/subgraph';
import { aScript, createMedia, heard, openMediaSlice, scripted, type MediaSlice, type Problem } from '../testing';

const run = promisify(execFile);
let folder: string;
let slice: MediaSlice;
let server: Awaited<ReturnType<typeof serveSubgraph>>;
let viewer: Viewer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-transcode-'));
  const said = [heard(0, 300, 'Before the clip.'), heard(1, 1_200, 'Tags {\\b1} <b> -- %d & more.')];
  slice = await openMediaSlice(scripted(aScript(...said)));
  slice.startWorker();
  const { platform } = slice;
  server = await serveSubgraph({
    subgraph: createFilesSubgraph(platform),
    callKey: deriveCallKey(platform.secret, 'files'),
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await slice[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => (viewer = aViewer()));

function make(name: string, ...parameters: string[]): Buffer {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...parameters, file]);
  return readFileSync(file);
}
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=f=440:r=16000:d=${seconds}`];
/** A few pictures a second are a film as well, and are encoded sooner. */
const film = (size: string, seconds: number, rate = 5) => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`, ...tone(seconds)],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv444p', '-c:a', 'aac', '-shortest'],
];

async function aRecording(bytes: Buffer): Promise<string> {
  const { media } = await createMedia(slice, viewer, { upload: anUpload(bytes, 'x.bin') });
  return media!.id;
}

interface JobAnswer {
  id: string;
  state: string;
  stage: string | null;
  progress: number;
  error: { code: string; message: string; retryable: boolean } | null;
  result: RenditionAnswer | null;
}
interface RenditionAnswer {
  id: string;
  preset: string;
  name: string;
  mimeType: string;
  width: number | null;
  height: number | null;
  bitrate: number;
  durationMs: number;
  file: { id: string };
  url: string;
}
const RENDITION = 'id preset name mimeType width height bitrate durationMs file { id } url';
const JOB = `id state stage progress error { code message retryable } result { ... on Rendition { ${RENDITION} } }`;

async function ask(input: object): Promise<{ job: JobAnswer | null; errors: Problem[] }> {
  const query = `mutation ($input: TranscodeInput!) { transcode(input: $input) { job { ${JOB} } errors { code message path } } }`;
  const answer = await askFor<{ transcode: { job: JobAnswer | null; errors: Problem[] } }>(
    slice.subgraph,
    viewer,
    query,
    {
      input,
    },
  );
  return answer.transcode;
}

/** The one named, or the newest. */
async function jobOf(mediaId: string, jobId?: string): Promise<JobAnswer> {
  const query = `query ($id: ID!) { media(id: $id) { jobs(first: 20) { nodes { ${JOB} } } } }`;
  const { media } = await askFor<{ media: { jobs: { nodes: JobAnswer[] } } }>(slice.subgraph, viewer, query, {
    id: mediaId,
  });
  return media.jobs.nodes.find(({ id }) => id === (jobId ?? id))!;
}

async function ended(mediaId: string, jobId?: string): Promise<JobAnswer> {
  return waitFor(
    'the job to end',
    async () => {
      const job = await jobOf(mediaId, jobId);
      return ['SUCCEEDED', 'FAILED', 'CANCELED'].includes(job.state) ? job : null;
    },
    60_000,
  );
}

async function transcoded(mediaId: string, input: object): Promise<RenditionAnswer> {
  const { job, errors } = await ask({ mediaId, ...input });
  expect(errors).toEqual([]);
  const { state, error, result, progress } = await ended(mediaId, job!.id);
  expect([state, error, progress]).toEqual(['SUCCEEDED', null, 1]);
  return result!;
}

interface Probed {
  streams: { codec_type: string; codec_name: string; pix_fmt?: string; sample_rate?: string; width?: number }[];
  format: { duration: string; tags?: Record<string, string> };
}
async function probe(url: string): Promise<Probed> {
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-show_streams',
    '-show_format',
    '-of',
    'json',
    reachable(url),
  ]);
  return JSON.parse(stdout) as Probed;
}
/** The link as it is, at the port of this test. */
const reachable = (url: string): string => url.replace(/^http:\/\/[^/]+/, `http://127.0.0.1:${server.port}`);
const bytesStored = (): string[] =>
  readdirSync(path.join(slice.platform.scratchDirectory, '../objects'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.includes('fil_'),
  );

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'transcode', () => {
  test('MP3, OPUS, WAV_16K and WEBM of sound are what they say, without the tags of the recording', async () => {
    const id = await aRecording(make('sound.flac', ...tone(3), '-metadata', 'title=--secret %d | a:b'));
    const wanted = [
      ['MP3', 'audio/mpeg', 'mp3'],
      ['OPUS', 'audio/ogg', 'opus'],
      ['WAV_16K', 'audio/wav', 'pcm_s16le'],
      ['WEBM', 'video/webm', 'opus'],
    ] as const;
    const made = await Promise.all(wanted.map(([preset]) => transcoded(id, { preset })));
    for (const [index, [preset, mimeType, codec]] of wanted.entries()) {
      const rendition = made[index]!;
      expect(rendition).toMatchObject({ preset, mimeType, width: null, height: null });
      const { name } = await slice.platform.database.prisma.storedObject.findUniqueOrThrow({
        where: { id: rendition.file.id },
      });
      expect(name).toBe(`x.${{ MP3: 'mp3', OPUS: 'opus', WAV_16K: 'wav', WEBM: 'webm' }[preset]}`); // the recording's title
      expect(Math.abs(rendition.durationMs - 3_000)).toBeLessThan(100);
      expect(rendition.bitrate).toBeGreaterThan(10_000);
      const { streams, format } = await probe(rendition.url);
      expect(streams.map((stream) => stream.codec_name)).toEqual([codec]);
      expect(JSON.stringify(format.tags ?? {})).not.toContain('secret');
    }
  });

  test('MP4 has even sizes in a box, 4:2:0, its index in front, and is never larger than the film', async () => {
    const large = await transcoded(await aRecording(make('large.mkv', ...film('1501x1001', 1))), {
      preset: 'MP4_720P',
    });
    expect([large.width, large.height, large.name]).toEqual([1_080, 720, 'MP4 720p']);
    const { streams } = await probe(large.url);
    expect(streams.map((stream) => stream.codec_name)).toEqual(['h264', 'aac']);
    expect(streams[0]!.pix_fmt).toBe('yuv420p');
    const bytes = Buffer.from(await (await fetch(reachable(large.url))).arrayBuffer());
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));

    const small = await aRecording(make('small.mp4', ...film('322x182', 1)));
    const same = await transcoded(small, { preset: 'MP4_1080P' });
    expect([same.width, same.height]).toEqual([322, 182]);
  });

  test('WebM of a film is VP9 with Opus', async () => {
    const { url } = await transcoded(await aRecording(make('small.mp4', ...film('160x90', 1))), { preset: 'WEBM' });
    expect((await probe(url)).streams.map((stream) => stream.codec_name)).toEqual(['vp9', 'opus']);
  });

  test('a clip has its length, and subtitles of its own time', async () => {
    const { media, job } = await createMedia(slice, viewer, {
      upload: anUpload(make('spoken.mp4', ...film('160x90', 5)), 'x'),
      transcribe: {},
    });
    expect((await ended(media!.id)).state).toBe('SUCCEEDED');
    const subtitlesFrom = job!.result.id;
    const clip = { clipFromMs: 1_000, clipToMs: 3_500, subtitlesFrom };
    const [{ url, durationMs }, hls] = await Promise.all([
      transcoded(media!.id, { preset: 'MP4_720P', ...clip }),
      transcoded(media!.id, { preset: 'HLS', ...clip }),
    ]);
    expect(Math.abs(durationMs - 2_500)).toBeLessThan(150);
    expect((await probe(url)).streams.map((stream) => stream.codec_name)).toEqual(['h264', 'aac', 'mov_text']);
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', reachable(url), '-map', '0:s', '-f', 'webvtt', '-']);
    expect(stdout).not.toContain('Before');
    expect(stdout).toContain('00:00.200 -->');
    expect(stdout).toContain('Tags (/b1) <b> -- %d & more.');

    const main = await (await fetch(reachable(hls.url))).text();
    expect(main).toMatch(/#EXT-X-MEDIA:TYPE=SUBTITLES,.*LANGUAGE="en-US",URI="subtitles.m3u8"/);
    expect(main).toMatch(/#EXT-X-STREAM-INF:.*SUBTITLES="subtitles"/);
    const text = await (await fetch(new URL('subtitles.vtt', reachable(hls.url)))).text();
    expect(text).toContain('00:00:00.200 -->');
  });

  test('HLS has up to three sizes with codecs, and one link is enough to play all of it', async () => {
    const id = await aRecording(make('hls.mp4', ...film('1280x720', 5, 2)));
    const rendition = await transcoded(id, { preset: 'HLS' });
    expect(rendition).toMatchObject({ mimeType: 'application/vnd.apple.mpegurl', width: 1_280, height: 720 });
    const main = await (await fetch(reachable(rendition.url))).text();
    expect(main.match(/RESOLUTION=\d+x\d+,CODECS="avc1\.\w+,mp4a\.40\.2"/g)).toHaveLength(3);
    // A player that knows nothing but the link, with the right to nothing else.
    const played = await run('ffmpeg', ['-v', 'error', '-i', reachable(rendition.url), '-map', '0', '-f', 'null', '-']);
    expect(played.stderr).toBe('');
    expect((await probe(rendition.url)).streams.filter((stream) => stream.codec_type === 'video')).toHaveLength(3);

    const count = await slice.platform.database.prisma.storedObject.count({ where: { partOf: rendition.file.id } });
    expect(count).toBe(6); // a playlist and a file for each size
    const files = await slice.platform.database.prisma.storedObject.count({
      where: { ownerId: viewer.userId, partOf: null },
    });
    expect(files).toBe(2); // the recording and the main playlist: parts are in no list
  });

  test('a small film has one size in HLS, one without sound needs none', async () => {
    const silent = make('silent.mp4', ...['-f', 'lavfi', '-i', 'testsrc2=s=200x100:r=10:d=1', '-pix_fmt', 'yuv420p']);
    const { url, width } = await transcoded(await aRecording(silent), { preset: 'HLS' });
    expect(width).toBe(200);
    expect(await (await fetch(reachable(url))).text()).toMatch(/RESOLUTION=200x100,CODECS="avc1\.\w+"/);
  });

  test('renditions are listed newest first, with their lineage, to their owner only', async () => {
    const id = await aRecording(make('sound.flac', ...tone(1)));
    const begun = [
      await ask({ mediaId: id, preset: 'MP3' }),
      await ask({ mediaId: id, preset: 'OPUS', clipToMs: 500 }),
    ];
    const jobs = await Promise.all(begun.map(({ job }) => ended(id, job!.id)));
    const [first, second] = jobs.map(({ result }) => result!) as [RenditionAnswer, RenditionAnswer];
    const query = 'query ($id: ID!) { media(id: $id) { renditions { id } } }';
    expect(await askFor(slice.subgraph, viewer, query, { id })).toEqual({
      media: { renditions: [{ id: second.id }, { id: first.id }] },
    });
    const entity = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Rendition { id url } } }`;
    const of = [{ __typename: 'Rendition', id: first.id }];
    expect(await askFor(slice.subgraph, aViewer(), entity, { of })).toEqual({ _entities: [null] });
    const row = await slice.platform.database.prisma.lineage.findUniqueOrThrow({ where: { outputId: second.id } });
    expect(row).toMatchObject({
      kind: 'TRANSCODE',
      engine: 'ffmpeg',
      mediaId: id,
      engineVersion: expect.stringMatching(/\d/),
    });
    expect(row.settings).toEqual({ preset: 'OPUS', clipFromMs: null, clipToMs: 500 });
  });

  test('what cannot be is refused with its place', async () => {
    const sound = await aRecording(make('sound.mp3', ...tone(2)));
    const refusals: [object, string, string][] = [
      [{ mediaId: sound, preset: 'MP4_720P' }, 'UNSUPPORTED', 'preset'],
      [{ mediaId: sound, preset: 'HLS' }, 'UNSUPPORTED', 'preset'],
      [{ mediaId: sound, preset: 'MP3', clipFromMs: -1 }, 'INVALID_INPUT', 'clipFromMs'],
      [{ mediaId: sound, preset: 'MP3', clipFromMs: 60_000 }, 'INVALID_INPUT', 'clipFromMs'],
      [{ mediaId: sound, preset: 'MP3', clipToMs: 0 }, 'INVALID_INPUT', 'clipToMs'],
      [{ mediaId: sound, preset: 'MP3', clipFromMs: 500, clipToMs: 500 }, 'INVALID_INPUT', 'clipToMs'],
      [{ mediaId: sound, preset: 'MP3', clipToMs: 60_000 }, 'INVALID_INPUT', 'clipToMs'],
      [{ mediaId: sound, preset: 'MP3', subtitlesFrom: 'trn_1' }, 'INVALID_INPUT', 'subtitlesFrom'],
      [{ mediaId: 'med_1', preset: 'MP3' }, 'NOT_FOUND', 'mediaId'],
    ];
    for (const [input, code, argument] of refusals) {
      const { job, errors } = await ask(input);
      expect([job, errors[0]?.code, errors[0]?.path]).toEqual([null, code, ['input', argument]]);
    }
    const silent = make('silent.mp4', ...['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=1', '-pix_fmt', 'yuv420p']);
    const { errors } = await ask({ mediaId: await aRecording(silent), preset: 'MP3' });
    expect(errors[0]?.code).toBe('UNSUPPORTED');
  });

  test('subtitles come from a complete transcript of the same recording only', async () => {
    const bytes = make('spoken.mp4', ...film('160x90', 4));
    const other = await createMedia(slice, viewer, { upload: anUpload(bytes, 'x'), transcribe: {} });
    expect((await ended(other.media!.id)).state).toBe('SUCCEEDED');
    const id = await aRecording(bytes);
    const input = { mediaId: id, preset: 'MP4_720P', subtitlesFrom: other.job!.result.id };
    expect((await ask(input)).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'subtitlesFrom'] }]);
    await slice.platform.database.prisma.transcript.updateMany({
      where: { id: other.job!.result.id },
      data: { state: 'TRANSCRIBING' },
    });
    expect((await ask({ ...input, mediaId: other.media!.id })).errors).toMatchObject([{ code: 'INVALID_STATE' }]);
  });

  test('an idempotency key answers the first job, and IDEMPOTENCY_MISMATCH for another input', async () => {
    const mediaId = await aRecording(make('sound.flac', ...tone(1)));
    const first = await ask({ mediaId, preset: 'MP3', idempotencyKey: 'k' });
    expect((await ask({ mediaId, preset: 'MP3', idempotencyKey: 'k' })).job!.id).toBe(first.job!.id);
    expect((await ask({ mediaId, preset: 'OPUS', idempotencyKey: 'k' })).errors[0]!.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await ended(mediaId)).state).toBe('SUCCEEDED');
  });

  test('progress is measured, and a cancel ends ffmpeg and leaves no bytes', async () => {
    const mediaId = await aRecording(make('long.mp4', ...film('640x360', 60, 10)));
    const before = bytesStored();
    const { job } = await ask({ mediaId, preset: 'HLS' });
    const seen = await waitFor('some progress', async () => {
      const { progress, stage } = await jobOf(mediaId);
      return progress > 0 ? { progress, stage } : null;
    });
    expect(seen.stage).toBe('encode');
    expect(seen.progress).toBeLessThan(0.95);
    const running = readdirSync('/proc').filter((pid) => cwdOf(pid).includes(job!.id));
    expect(running).toHaveLength(1);
    const own = { jobId: job!.id, ownerId: viewer.userId };
    await slice.platform.database.prisma.$transaction((tx) => requestCancel(tx, slice.platform.events, own));
    expect((await ended(mediaId)).state).toBe('CANCELED');
    expect(readdirSync('/proc').filter((pid) => cwdOf(pid).includes(job!.id))).toEqual([]);
    expect(bytesStored()).toEqual(before);
    await waitFor('the directory to be removed', () =>
      readdirSync(slice.platform.scratchDirectory).every((name) => !name.startsWith(job!.id)),
    );
  });

  test('a recording that cannot be decoded fails the job for good, and leaves no bytes', async () => {
    const bytes = make('film.mp4', ...film('160x90', 2), '-movflags', '+faststart');
    const mediaId = await aRecording(bytes.subarray(0, bytes.length / 2));
    const before = bytesStored();
    await ask({ mediaId, preset: 'MP4_720P' });
    const { state, error } = await ended(mediaId);
    expect([state, error?.code, error?.retryable]).toEqual(['FAILED', 'INVALID_INPUT', false]);
    expect(bytesStored()).toEqual(before);
  });

  test('a recording whose file is gone fails the job for good, and says so', async () => {
    const mediaId = await aRecording(make('gone.mp4', ...film('160x90', 1)));
    const { prisma } = slice.platform.database;
    const { fileId } = await prisma.media.findUniqueOrThrow({ where: { id: mediaId } });
    await prisma.storedObject.delete({ where: { id: fileId } });
    await ask({ mediaId, preset: 'MP3' });
    const { state, error } = await ended(mediaId);
    expect([state, error?.code, error?.retryable]).toEqual(['FAILED', 'NOT_FOUND', false]);
  });
});

/** Where a process runs; the encoder does in its job's directory. */
function cwdOf(pid: string): string {
  try {
    return /^\d+$/.test(pid) ? readlinkSync(`/proc/${pid}/cwd`) : '';
  } catch {
    return '';
  }
}
