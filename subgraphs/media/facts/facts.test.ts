import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Viewer } from '../../../platform/identity/viewer';
import { anUpload, ask, askFor, aViewer } from '../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { Lifecycle } from '../../../platform/lifecycle';
import { silentLogger } from '../../../platform/logger';
import { waitFor } from '../../../platform/testing/wait';
import { createMediaSubgraph } from '../subgraph';
import { aScript, createMedia, openMediaSlice, scripted, writtenTranslator, type MediaSlice } from '../testing';

let folder: string;
let slice: MediaSlice;
let viewer: Viewer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-facts-'));
  slice = await openMediaSlice(scripted(aScript()));
});
afterAll(async () => {
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
/** Black, then from the third second on white. */
const film = (...more: string[]) => [
  ...['-f', 'lavfi', '-i', `color=black:s=320x180:r=10:d=5,geq=lum='if(gte(T,3),255,0)':cb=128:cr=128`],
  ...tone(5),
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', ...more],
];

async function aRecording(bytes: Buffer, input: object = {}): Promise<string> {
  const { media, errors } = await createMedia(slice, viewer, { upload: anUpload(bytes, 'x.bin'), ...input });
  if (!media) throw new Error(JSON.stringify(errors));
  return media.id;
}

interface Facts {
  kind: string;
  artist: string | null;
  album: string | null;
  durationMs: number | null;
  probe: {
    container: string;
    bitRate: number;
    tags: Record<string, string>;
    streams: Record<string, unknown>[];
  } | null;
  coverArt: { id: string } | null;
  waveform: number[] | null;
  thumbnail: string | null;
}
const factsOf = async <Fields extends keyof Facts>(id: string, fields: string): Promise<Pick<Facts, Fields>> =>
  (await askFor<{ media: Facts }>(slice.subgraph, viewer, `query ($id: ID!) { media(id: $id) { ${fields} } }`, { id }))
    .media;

/** The bytes behind a link, read as the files subgraph would; the link itself is tested with the byte route. */
async function bytesBehind(url: string): Promise<Buffer> {
  const id = /fil_\w+/.exec(url)![0];
  return readFileSync(await slice.platform.objects.localPath(id));
}

/** Mean brightness of a picture, 0 to 255. */
function brightnessOf(picture: Buffer): number {
  const pixels = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-f', 'mjpeg', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    {
      input: picture,
    },
  );
  return pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
}

function sizeOf(picture: Buffer): string {
  const parameters = ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0:s=x', '-f', 'mjpeg', '-i'];
  return execFileSync('ffprobe', [...parameters, 'pipe:0'], { input: picture, encoding: 'utf8' }).trim();
}

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'what is in a recording', () => {
  test('probe tells container, tags and streams, and the length is known from then on', async () => {
    const id = await aRecording(make('film.mp4', ...film('-metadata', 'title=A film')));
    const { probe, durationMs } = await factsOf<'probe' | 'durationMs'>(id, 'probe durationMs');
    expect(probe).toMatchObject({
      container: expect.stringContaining('mp4'),
      bitRate: expect.any(Number),
      tags: { title: 'A film' },
      streams: [
        { type: 'video', codec: 'h264', width: 320, height: 180, frameRate: 10 },
        { type: 'audio', codec: 'aac', channels: 1, sampleRate: 16000 },
      ],
    });
    expect(Math.abs(durationMs! - 5_000)).toBeLessThan(100);
    const row = await slice.platform.database.prisma.media.findUniqueOrThrow({ where: { id } });
    expect([row.durationMs, row.kind]).toEqual([durationMs, 'VIDEO']);
  });

  test('a question that waits too long is answered with null, and the look is kept for the next one', async () => {
    const id = await aRecording(make('late.mp3', ...tone(1)));
    const { platform } = slice;
    const lifecycle = new Lifecycle(silentLogger);
    const hasty = createMediaSubgraph(platform, lifecycle, {
      ...{ translator: writtenTranslator(), transcribers: scripted(aScript()), aligner: null, answerWithinMs: 0 },
    });
    const ask = async () => {
      const query = 'query ($id: ID!) { media(id: $id) { durationMs probe } }';
      return (await askFor<{ media: { durationMs: number | null; probe: unknown } }>(hasty, viewer, query, { id }))
        .media;
    };
    expect(await ask()).toEqual({ durationMs: null, probe: null });
    await waitFor('the look to end', async () => (await ask()).durationMs !== null);
    expect((await ask()).probe).not.toBeNull();
    await lifecycle.stop();
  });

  test('sound in WebM is AUDIO once it was looked into', async () => {
    const id = await aRecording(make('sound.webm', ...tone(2), '-c:a', 'libopus'));
    await factsOf(id, 'probe');
    expect(await factsOf(id, 'kind')).toEqual({ kind: 'AUDIO' });
  });

  test('artist and album come from the tags unless they were given', async () => {
    const tags = ['-metadata', 'artist=Siti binti Saad', '-metadata', 'album=Kijiti'];
    for (const ending of ['mp3', 'flac', 'm4a', 'ogg', 'wav']) {
      const id = await aRecording(make(`tags.${ending}`, ...tone(1), ...tags));
      const { artist, album } = await factsOf<'artist' | 'album'>(id, 'artist album');
      expect([ending, artist, album]).toEqual([ending, 'Siti binti Saad', 'Kijiti']);
    }
    const id = await aRecording(make('tags.mp3', ...tone(1), ...tags), { artist: 'Somebody else' });
    expect(await factsOf(id, 'artist album')).toEqual({ artist: 'Somebody else', album: 'Kijiti' });
  });

  test('tags of a stranger are cleaned and bounded', async () => {
    const wild = `-i %d | a:b\n\u0007\u202e${'x'.repeat(3_000)}`;
    const id = await aRecording(
      make('wild.mp3', ...tone(1), '-metadata', `artist=${wild}`, '-metadata', `title=${wild}`),
    );
    const { artist, probe } = await factsOf<'artist' | 'probe'>(id, 'artist probe');
    expect(artist).toBe(`-i %d | a:b ${'x'.repeat(188)}`);
    expect(probe!.tags['title']).toBe(`-i %d | a:b ${'x'.repeat(488)}`);
  });

  test('the embedded picture is a file of its owner that no list shows', async () => {
    const picture = make('cover.png', '-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1');
    const cover = ['-i', path.join(folder, 'cover.png'), '-map', '0:a', '-map', '1:v', '-c:v', 'copy'];
    const mp3 = make('cover.mp3', ...tone(1), ...cover, '-disposition:v', 'attached_pic');
    const id = await aRecording(mp3);
    const { coverArt } = await factsOf<'coverArt'>(id, 'coverArt { id }');
    const object = await slice.platform.objects.find(coverArt!.id, viewer.userId);
    expect(object).toMatchObject({ mimeType: 'image/png', name: 'cover.png', partOf: id });
    expect(await bytesBehind(coverArt!.id)).toEqual(picture);
    expect(await factsOf(id, 'coverArt { id } thumbnail')).toEqual({ coverArt, thumbnail: null });
  });

  test('what is embedded as a picture and is none is not kept', async () => {
    make('cover.png', '-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1');
    const cover = ['-i', path.join(folder, 'cover.png'), '-map', '0:a', '-map', '1:v', '-c:v', 'copy'];
    const mp3 = make('html.mp3', ...tone(1), ...cover, '-disposition:v', 'attached_pic');
    const at = mp3.indexOf('\x89PNG', 0, 'latin1');
    mp3.write('<html><script>alert(1)</script>', at, 'latin1');
    expect(await factsOf(await aRecording(mp3), 'coverArt { id }')).toEqual({ coverArt: null });
    expect(await factsOf(await aRecording(make('none.mp3', ...tone(1))), 'coverArt { id }')).toEqual({
      coverArt: null,
    });
  });

  test('the waveform has as many peaks as asked for, at their places', async () => {
    const late = ['-f', 'lavfi', '-i', `aevalsrc='0.5*sin(2*PI*440*t)*gte(t,5)':s=16000:d=10`];
    const id = await aRecording(make('late.wav', ...late));
    const { waveform } = await factsOf<'waveform'>(id, 'waveform(points: 20)');
    expect(waveform).toHaveLength(20);
    expect(Math.max(...waveform!.slice(0, 9))).toBe(0);
    for (const peak of waveform!.slice(11)) expect(Math.abs(peak - 0.5)).toBeLessThan(0.02);
    expect((await factsOf<'waveform'>(id, 'waveform(points: 4000)')).waveform).toHaveLength(4_000);
    expect((await factsOf<'waveform'>(id, 'waveform')).waveform).toHaveLength(800);
  });

  test('a film without sound has no waveform, sound has no thumbnail', async () => {
    const silent = await aRecording(make('silent.mp4', ...film('-an')));
    expect(await factsOf(silent, 'waveform')).toEqual({ waveform: null });
    expect(await factsOf(await aRecording(make('sound.mp3', ...tone(1))), 'thumbnail')).toEqual({ thumbnail: null });
  });

  test('a thumbnail is the picture of its moment, as wide as asked for, and the last one behind the end', async () => {
    const id = await aRecording(make('film.mp4', ...film()));
    const at = async (atMs: number): Promise<Buffer> =>
      bytesBehind((await factsOf<'thumbnail'>(id, `thumbnail(atMs: ${atMs}, width: 160)`)).thumbnail!);
    expect(sizeOf(await at(0))).toBe('160x90');
    expect(brightnessOf(await at(2_000))).toBeLessThan(30);
    expect(brightnessOf(await at(4_000))).toBeGreaterThan(220);
    expect(brightnessOf(await at(4_990))).toBeGreaterThan(220);
    expect(brightnessOf(await at(99_000_000))).toBeGreaterThan(220);
  });

  test('a thumbnail is made once, and its link is good for an hour', async () => {
    const id = await aRecording(make('film.mp4', ...film()));
    const urls = await Promise.all([1, 2, 3].map(() => factsOf<'thumbnail'>(id, 'thumbnail(atMs: 1040)')));
    const links = [...urls, await factsOf<'thumbnail'>(id, 'thumbnail(atMs: 1000)')].map((x) => new URL(x.thumbnail!));
    expect(new Set(links.map(({ pathname }) => pathname)).size).toBe(1);
    const livesS = Number(links[0]!.searchParams.get('expires')) - Date.now() / 1_000;
    expect(Math.abs(livesS - 3_600)).toBeLessThan(60);
    expect(await slice.platform.database.prisma.storedObject.count({ where: { partOf: id } })).toBe(1);
  });

  test('of a file that is no recording after all everything is null', async () => {
    const riff = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt '), Buffer.alloc(30)]);
    const facts = await factsOf(
      await aRecording(riff),
      'durationMs artist album probe coverArt { id } waveform thumbnail',
    );
    expect(new Set(Object.values(facts))).toEqual(new Set([null]));
  });

  test.each([
    'waveform(points: 0)',
    'waveform(points: 4001)',
    'thumbnail(width: 15)',
    'thumbnail(width: 1921)',
    'thumbnail(atMs: -1)',
  ])('%s is BAD_USER_INPUT', async (field) => {
    const id = await aRecording(make('short.wav', ...tone(1)));
    const { errors } = await ask(slice.subgraph, viewer, `query ($id: ID!) { media(id: $id) { ${field} } }`, { id });
    expect(errors![0]!.extensions!['code']).toBe('BAD_USER_INPUT');
  });

  test('a client that leaves ends its own wait only, and nothing stays behind', async () => {
    const id = await aRecording(make('left.mp3', ...tone(60)));
    const leaving = new AbortController();
    const query = 'query ($id: ID!) { media(id: $id) { waveform(points: 2) } }';
    const left = ask(slice.subgraph, viewer, query, { id }, leaving.signal);
    const stays = ask(slice.subgraph, viewer, query, { id });
    leaving.abort(new Error('the client left'));
    expect((await left).errors).toHaveLength(1);
    expect(((await stays).data as { media: Facts }).media.waveform).toHaveLength(2);
    expect(readdirSync(slice.platform.scratchDirectory).filter((name) => name.startsWith('facts-'))).toEqual([]);
  });
});
