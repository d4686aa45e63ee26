import { readdir } from 'node:fs/promises';
import { jobsTopic, type JobSnapshot } from '../../platform/jobs/job';
import { silentLogger } from '../../platform/logger';
import { aViewer, askFor } from '../../platform/testing/calls';
import { describeWhenInstalled } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import {
  openMediaSlice,
  transcribing,
  wholeStream,
  type MediaSlice,
  type StreamEvent,
} from '../../subgraphs/media/testing';
import { createTranscribers } from '../../subgraphs/media/transcribers';
import type { Checkpoint } from '../../subgraphs/media/transcription/checkpoint';
import { enginesMissing } from '../engines';
import { processesMentioning } from '../restarts/processes';
import { holdLock, type HeldLock } from './held-lock';
import { longSpeech } from './speech';
import { endOfJob, LIMIT_MS, readJob, startWorkerProcess } from './worker-process';

const TEXT = 'query Read($id: ID!) { transcript(id: $id) { state engine text segments(first: 100) { nodes { id } } } }';

interface Work {
  viewer: ReturnType<typeof aViewer>;
  mediaId: string;
  jobId: string;
  transcriptId: string;
  events: Promise<StreamEvent[]>;
}

describeWhenInstalled(enginesMissing(), 'a worker that is killed while PocketSphinx listens', () => {
  let slice: MediaSlice;
  let recording: Buffer;
  let unbroken: { text: string; segments: number };

  beforeAll(async () => {
    recording = await longSpeech();
    slice = await openMediaSlice(createTranscribers({ concurrency: 1, logger: silentLogger }));
    const work = await ask();
    await using _worker = await startWorkerProcess(slice.platform);
    expect(await endOfJob(slice.platform, work.jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    const { text, segments } = await read(work);
    unbroken = { text, segments: segments.nodes.length };
    await work.events;
  }, LIMIT_MS);
  afterAll(() => slice[Symbol.asyncDispose]());

  async function ask(): Promise<Work> {
    const viewer = aViewer();
    const ids = await transcribing(slice, viewer, recording);
    const events = wholeStream(slice, viewer, { id: ids.transcriptId }, LIMIT_MS);
    events.catch(() => undefined); // it is waited for in the end
    return { viewer, ...ids, events };
  }

  async function read({ viewer, transcriptId }: Work) {
    interface Read {
      transcript: { state: string; engine: string; text: string; segments: { nodes: { id: string }[] } };
    }
    return (await askFor<Read>(slice.subgraph, viewer, TEXT, { id: transcriptId })).transcript;
  }

  const checkpointOf = async ({ transcriptId }: Work): Promise<Checkpoint | null> => {
    const row = await slice.platform.database.prisma.transcript.findUniqueOrThrow({ where: { id: transcriptId } });
    return row.checkpoint as Checkpoint | null;
  };
  const lock = (table: 'media' | 'transcript', id: string): Promise<HeldLock> =>
    holdLock(slice.platform.database.url, `select 1 from media.${table} where id = $1 for update`, [id]);
  const awaited = (held: HeldLock): Promise<unknown> =>
    waitFor('the worker to come there', async () => (await held.waiting()) > 0, LIMIT_MS);
  const isListening = (work: Work): Promise<unknown> =>
    waitFor('it to listen', async () => (await readJob(slice.platform, work.jobId)).stage === 'recognize', LIMIT_MS);

  /** Brings a worker to a moment at which it cannot go on, and answers what keeps it there. */
  const moments: [when: string, reach: (work: Work, run: () => Promise<void>) => Promise<HeldLock>, heard: string][] = [
    [
      'as soon as it has looked at the recording',
      async ({ mediaId }, run) => {
        const held = await lock('media', mediaId);
        await run();
        await awaited(held);
        return held;
      },
      'nothing',
    ],
    [
      'in the middle of the recording, with a piece of it kept',
      async (work, run) => {
        await run();
        await waitFor('a piece to be kept', async () => ((await checkpointOf(work))?.heardMs ?? 0) > 0, LIMIT_MS);
        return lock('transcript', work.transcriptId);
      },
      'a part',
    ],
    [
      'with all of it heard and the end not committed',
      async (work, run) => {
        await run();
        await isListening(work);
        const held = await lock('media', work.mediaId);
        await awaited(held);
        return held;
      },
      'all',
    ],
  ];

  test.each(moments)(
    '%s costs nothing: the next one ends with the same text, each segment is told once',
    async (_when, reach, heard) => {
      const { platform } = slice;
      const work = await ask();
      let first: Awaited<ReturnType<typeof startWorkerProcess>> | undefined;
      const held = await reach(work, async () => void (first = await startWorkerProcess(platform)));
      await using worker = first!;
      const segmentCount = (await checkpointOf(work))?.segmentCount ?? 0;
      if (heard === 'nothing') expect(segmentCount).toBe(0);
      if (heard === 'a part') expect([0, unbroken.segments]).not.toContain(segmentCount);
      if (heard === 'all') expect(segmentCount).toBe(unbroken.segments);
      expect(await readdir(platform.scratchDirectory)).toEqual([`${work.jobId}.1`]);
      expect(await worker.kill()).toBeGreaterThanOrEqual(heard === 'nothing' ? 0 : 1);
      expect(processesMentioning(platform.scratchDirectory)).toEqual([]);
      await held[Symbol.asyncDispose]();

      await using _next = await startWorkerProcess(platform);
      expect(await endOfJob(platform, work.jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 2, errorCode: null });
      const transcript = await read(work);
      expect(transcript).toMatchObject({ state: 'COMPLETE', engine: 'pocketsphinx', text: unbroken.text });
      const ids = transcript.segments.nodes.map(({ id }) => id);
      const events = await work.events;
      expect(events.flatMap(({ segment }) => segment?.id ?? [])).toEqual(ids);
      expect(events.at(-1)).toMatchObject({ state: 'COMPLETE', removedSegmentIds: [] });
      expect(await goesBack(work)).toEqual([]);
      await waitFor('temporary files to be gone', async () => (await readdir(platform.scratchDirectory)).length === 0);
    },
    LIMIT_MS,
  );

  /** Pairs of progress told one after the other in one attempt of which the second is less. */
  async function goesBack({ viewer, jobId }: Work): Promise<[number, number][]> {
    const topic = jobsTopic(viewer.userId).name;
    const rows = await slice.platform.database.prisma.event.findMany({ where: { topic }, orderBy: { seq: 'asc' } });
    const told = rows.map(({ payload }) => payload as unknown as JobSnapshot).filter((job) => job.jobId === jobId);
    const running = told.filter(({ state }) => state === 'RUNNING');
    expect(running.length).toBeGreaterThan(4);
    return running.slice(1).flatMap((job, at): [number, number][] => {
      const before = running[at]!;
      return job.attempt === before.attempt && job.progress < before.progress ? [[before.progress, job.progress]] : [];
    });
  }
});
