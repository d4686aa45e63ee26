import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { aViewer, anUpload, askFor } from '../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import {
  aCompleteTranscript,
  aScript,
  createMedia,
  openMediaSlice,
  scripted,
  type MediaSlice,
} from '../../subgraphs/media/testing';
import { holdLock } from './held-lock';
import { endOfJob, LIMIT_MS, startWorkerProcess } from './worker-process';

const EXPORT = 'mutation ($input: ExportTranscriptInput!) { made: exportTranscript(input: $input) { job { id } } }';
const TRANSCODE = 'mutation ($input: TranscodeInput!) { made: transcode(input: $input) { job { id } } }';

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a worker that is killed', () => {
  let slice: MediaSlice;
  let viewer: ReturnType<typeof aViewer>;

  beforeEach(async () => {
    // All of the works stand there at a time.
    const plans = [{ id: 'free', name: 'Free', monthlyCredits: 1_000, maxConcurrentJobs: 3 }];
    slice = await openMediaSlice(scripted(aScript()), {}, { plans });
    viewer = aViewer();
  });
  afterEach(() => slice[Symbol.asyncDispose]());

  /** A film in parts, which are many objects, a sound and an export, each a function that asks for it. */
  async function works(): Promise<(() => Promise<string>)[]> {
    const { transcriptId } = await aCompleteTranscript(slice, viewer, ['One.', 'Two.']);
    const { media } = await createMedia(slice, viewer, { upload: anUpload(aFilm(), 'film.mp4') });
    const inputs: [string, object][] = [
      [TRANSCODE, { mediaId: media!.id, preset: 'HLS' }],
      [TRANSCODE, { mediaId: media!.id, preset: 'OPUS' }],
      [EXPORT, { transcriptId, format: 'SRT' }],
    ];
    return inputs.map(([query, input]) => async () => {
      const { made } = await askFor<{ made: { job: { id: string } } }>(slice.subgraph, viewer, query, { input });
      return made.job.id;
    });
  }

  const rows = async (): Promise<string[]> =>
    (await slice.platform.database.prisma.storedObject.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id);
  const stored = async (): Promise<string[]> => {
    const directory = path.join(path.dirname(slice.platform.scratchDirectory), 'objects');
    const names = (await readdir(directory, { recursive: true })).map((name) => path.basename(name));
    return names.filter((name) => name.startsWith('fil_')).sort();
  };
  /** Every object that has a row can be read, all of it. */
  async function allAreServed(): Promise<void> {
    for (const { id, sizeBytes } of await slice.platform.database.prisma.storedObject.findMany())
      expect((await buffer(await slice.platform.objects.read(id))).length).toBe(Number(sizeBytes));
  }

  const moments = [
    ['before the first row', 'lock table platform.object in share mode'],
    ['behind the rows of the objects', 'lock table media.lineage in share mode'],
  ] as const;
  test.each(moments)(
    'with the bytes stored, %s, shows none of them; each result is there once, and a sweep removes the rest',
    async (_when, statement) => {
      const { platform } = slice;
      const toAsk = await works();
      const uploaded = await rows();
      const jobIds: string[] = [];
      {
        await using held = await holdLock(platform.database.url, statement);
        await using worker = await startWorkerProcess(platform, {
          env: { WORKER_CONCURRENCY: '3', MAX_CONCURRENT_JOBS: '3' },
        });
        for (const ask of toAsk) {
          jobIds.push(await ask()); // one after the other: a statement waits no longer than 15 s
          await waitFor('it to stand there', async () => (await held.waiting()) === jobIds.length, LIMIT_MS);
        }
        await worker.kill();
      }
      const left = (await stored()).filter((name) => !uploaded.includes(name));
      expect(left.length).toBeGreaterThan(jobIds.length);
      expect(await rows()).toEqual(uploaded);
      await allAreServed();

      await using _next = await startWorkerProcess(platform);
      for (const id of jobIds)
        expect(await endOfJob(platform, id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2, errorCode: null });
      const made = (await rows()).filter((id) => !uploaded.includes(id));
      expect(made).toHaveLength(left.length);
      await allAreServed();
      expect(await platform.objects.sweep(0)).toBe(left.length);
      expect(await stored()).toEqual(await rows());
      await allAreServed();
    },
    LIMIT_MS,
  );

  test(
    'once a result is told makes it no second time, and all of it can be read',
    async () => {
      const { platform } = slice;
      const jobIds = await Promise.all((await works()).map((ask) => ask()));
      {
        await using worker = await startWorkerProcess(platform);
        await endOfJob(platform, jobIds.at(-1)!);
        await worker.kill();
      }
      await allAreServed();
      await using _next = await startWorkerProcess(platform);
      for (const id of jobIds) await endOfJob(platform, id);
      expect(await endOfJob(platform, jobIds.at(-1)!)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
      await allAreServed();
      await platform.objects.sweep(0);
      expect(await stored()).toEqual(await rows());
    },
    LIMIT_MS,
  );
});

function aFilm(): Buffer {
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=10:d=2', '-f', 'lavfi', '-i', 'sine=f=440:r=16000:d=2'];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'];
  const output = ['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov', 'pipe:1'];
  return execFileSync('ffmpeg', ['-v', 'error', ...inputs, ...codecs, ...output], { maxBuffer: 16 * 1024 * 1024 });
}
