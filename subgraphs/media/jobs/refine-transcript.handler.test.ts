import { encodeCursor } from '../../../platform/events/topic';
import { newId } from '../../../platform/ids';
import type { Job } from '../../../platform/jobs/job';
import { requestCancel, requestRetry } from '../../../platform/jobs/job-commands';
import { askFor, aViewer } from '../../../platform/testing/calls';
import { programMissing, describeWhenInstalled } from '../../../platform/testing/installed';
import { jobEnd } from '../../../platform/testing/job-end';
import { waitFor } from '../../../platform/testing/wait';
import { transcriptTopic } from '../events';
import { recordingOf } from '../live/recognition/recording';
import { aHeardSession } from '../live/testing-sessions';
import { MEDIA_MODELS } from '../records';
import { beginRefinement } from '../refining/begin-refinement';
import { aScript, heard, openMediaSlice, scripted, wholeStream, type MediaSlice, type Script } from '../testing';
import type { GivenSegment } from '../testing-transcripts';
import { TranscriberFailedError, type Transcriber } from '../transcriber/transcriber';
import { createTranscribers } from '../transcriber/transcribers';
import type { Transcribers } from '../transcribers';

const viewer = aViewer();
const SECONDS = Buffer.alloc(16_000 * 2 * 10);
const SAID: GivenSegment[] = [
  { ...heard(0, 1_000, 'The feather is fine.'), speakerKey: 'owner' },
  { ...heard(1, 3_000, 'Uh huh.'), speakerKey: 'owner' },
  { ...heard(2, 5_000, 'So it is said.'), speakerKey: 'owner' },
  { ...heard(3, 7_000, 'All is well.'), speakerKey: 'owner' },
];
/** Two new ones in front, the first one a little later, the second one not at all, something new, the last one as before. */
const HEARD_AGAIN = [
  heard(0, 100, 'Well,'),
  heard(1, 500, 'now'),
  heard(2, 1_300, 'The weather is fine.'),
  heard(3, 5_000, 'Sold it instead.'),
  heard(4, 6_000, 'And then'),
  heard(5, 7_000, 'All is well.'),
];

interface Refining {
  transcriptId: string;
  mediaId: string;
  segmentIds: string[];
  job: Job;
}

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a refinement', () => {
  let script: Script;
  let slice: MediaSlice;
  const open = async (transcribers: Transcribers): Promise<void> => {
    slice = await openMediaSlice(transcribers);
  };
  beforeEach(async () => {
    script = aScript(...HEARD_AGAIN);
    await open(scripted(script));
  });
  afterEach(() => slice[Symbol.asyncDispose]());

  /** A session that has ended, recorded, and its refinement begun, as its worker would. */
  async function refining(said = SAID): Promise<Refining> {
    const { session, segmentIds } = await aHeardSession(slice, viewer, [SECONDS], { segments: said });
    const { transcriptId } = session;
    const recording = await recordingOf(slice.platform, session, new AbortController().signal);
    return slice.platform.database.slice(MEDIA_MODELS).transaction(async (tx) => {
      const mediaId = await recording!.keep(tx, { id: 'scripted' });
      await slice.platform.events.append(tx, transcriptTopic(transcriptId), {
        ...{ type: 'transcript.finished', state: 'COMPLETE', error: null, removedSegmentIds: [] },
      });
      return { transcriptId, mediaId, segmentIds, job: await beginRefinement(tx, slice.platform.events, transcriptId) };
    });
  }
  const finished = (job: Job): Promise<Job> => jobEnd(slice.platform, job.id);
  const rows = (transcriptId: string) =>
    slice.platform.database.prisma.segment.findMany({ where: { transcriptId }, orderBy: { position: 'asc' } });
  const shown = async ({ transcriptId, segmentIds }: Refining): Promise<string[]> =>
    (await rows(transcriptId)).map(({ id, revision, text }) => {
      const known = segmentIds.indexOf(id);
      return `${known < 0 ? 'new' : known} ${revision} ${text}`;
    });
  const stored = async ({ transcriptId, mediaId }: Refining): Promise<unknown> => [
    await rows(transcriptId),
    await slice.platform.database.prisma.transcript.findUnique({ where: { id: transcriptId } }),
    await slice.platform.database.prisma.media.findUnique({ where: { id: mediaId } }),
    await slice.platform.database.prisma.lineage.findMany({ where: { mediaId } }),
    await slice.platform.events.head(transcriptTopic(transcriptId)),
  ];

  test('keeps the ids of what lies at the same time, and tells what is better, new and gone', async () => {
    const about = await refining();
    const { transcriptId, segmentIds, job } = about;
    slice.startWorker();
    expect(await finished(job)).toMatchObject({
      state: 'SUCCEEDED',
      kind: 'REFINE_TRANSCRIPT',
      attempt: 1,
      progress: 1,
    });
    expect(await shown(about)).toEqual([
      'new 1 Well,',
      'new 1 now',
      '0 2 The weather is fine.',
      '2 2 Sold it instead.',
      'new 1 And then',
      '3 1 All is well.',
    ]);
    const now = await rows(transcriptId);
    expect(now.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(new Set(now.map(({ speakerId }) => speakerId)).size).toBe(1);
    expect(now[0]!.speakerId).not.toBeNull();

    const after = encodeCursor(transcriptTopic(transcriptId), 1);
    const events = await wholeStream(slice, viewer, { id: transcriptId, after });
    expect(events.map(({ segment, state }) => (segment ? `${segment.text} ${segment.revision}` : state))).toEqual([
      ' 2',
      'Well, 1',
      'now 1',
      'The weather is fine. 2',
      'Sold it instead. 2',
      'And then 1',
      'COMPLETE',
    ]);
    const end = events.at(-1)!;
    expect(end.removedSegmentIds).toEqual([segmentIds[1]]);
    const whole = await wholeStream(slice, viewer, { id: transcriptId });
    expect(whole.map(({ cursor }) => cursor)).toEqual([after, ...events.map(({ cursor }) => cursor)]);
    expect(await wholeStream(slice, viewer, { id: transcriptId, after: end.cursor })).toEqual([]);
  });

  test('the transcript says who has heard it last, and the job answers it', async () => {
    const { transcriptId, mediaId, job } = await refining();
    slice.startWorker();
    await finished(job);
    const query = `query Read($id: ID!) { media(id: $id) { durationMs transcripts { id state engine confidence durationMs }
      lineage { outputId kind engine isStale } jobs { nodes { kind state result { ... on Transcript { id } } } } } }`;
    const { media } = await askFor(slice.subgraph, viewer, query, { id: mediaId });
    expect(media).toMatchObject({
      durationMs: 10_000,
      transcripts: [{ id: transcriptId, state: 'COMPLETE', engine: 'scripted', confidence: 0.9, durationMs: 10_000 }],
      lineage: [{ outputId: transcriptId, kind: 'REFINE_TRANSCRIPT', engine: 'scripted', isStale: false }],
      jobs: { nodes: [{ kind: 'REFINE_TRANSCRIPT', state: 'SUCCEEDED', result: { id: transcriptId } }] },
    });
    const row = await slice.platform.database.prisma.transcript.findUniqueOrThrow({ where: { id: transcriptId } });
    expect([row.revision, row.jobId]).toEqual([2, null]);
  });

  test('one that hears the same raises no revision and tells no segment', async () => {
    script.segments = SAID.map(({ speakerKey: _key, ...segment }) => segment);
    const about = await refining();
    const before = await rows(about.transcriptId);
    slice.startWorker();
    await finished(about.job);
    expect(await rows(about.transcriptId)).toEqual(before);
    const { prisma } = slice.platform.database;
    expect(await prisma.transcript.findUnique({ where: { id: about.transcriptId } })).toMatchObject({ revision: 1 });
    const after = encodeCursor(transcriptTopic(about.transcriptId), 1);
    const events = await wholeStream(slice, viewer, { id: about.transcriptId, after });
    expect(events).toMatchObject([{ state: 'COMPLETE', removedSegmentIds: [] }]);
  });

  test('what is corrected while it listens stays, and what was heard there is dropped', async () => {
    const about = await refining();
    const input = { segmentId: about.segmentIds[2], expectedRevision: 1, text: 'So it is written' };
    const edit = `mutation Edit($input: EditSegmentInput!) { editSegment(input: $input) { errors { code } } }`;
    script.before = async ({ index }) => {
      if (index === 3) await askFor(slice.subgraph, viewer, edit, { input });
    };
    slice.startWorker();
    await finished(about.job);
    expect(await shown(about)).toEqual([
      'new 1 Well,',
      'new 1 now',
      '0 2 The weather is fine.',
      '2 2 So it is written',
      'new 1 And then',
      '3 1 All is well.',
    ]);
    expect((await rows(about.transcriptId))[3]).toMatchObject({ state: 'EDITED' });
  });

  test('translations are stale where the text is another or new, and only there', async () => {
    const { transcriptId, segmentIds, job } = await refining();
    const { prisma } = slice.platform.database;
    const id = newId('ttr');
    const translation = { id, transcriptId, jobId: newId('job'), language: 'es', engine: 'written' };
    await prisma.transcriptTranslation.create({ data: translation });
    const texts = segmentIds.map((segmentId) => ({ translationId: id, segmentId, segmentRevision: 1, text: 'es' }));
    await prisma.segmentTranslation.createMany({ data: texts });
    const read = `query Read($id: ID!) { transcript(id: $id) { translations { staleSegments } } }`;
    const stale = () => askFor(slice.subgraph, viewer, read, { id: transcriptId });
    expect(await stale()).toEqual({ transcript: { translations: [{ staleSegments: 0 }] } });
    slice.startWorker();
    await finished(job);
    expect(await stale()).toEqual({ transcript: { translations: [{ staleSegments: 5 }] } });
    expect(await prisma.segmentTranslation.count()).toBe(3);
  });

  test('one that fails leaves everything as it was, and may be retried', async () => {
    script.before = ({ index }) => {
      if (index === 2) throw new TranscriberFailedError('it will not', { retryable: false });
    };
    const about = await refining();
    const before = await stored(about);
    slice.startWorker();
    expect(await finished(about.job)).toMatchObject({ state: 'FAILED', errorCode: 'INTERNAL' });
    expect(await stored(about)).toEqual(before);
    script.before = () => undefined;
    await retry(about.job);
    expect((await finished(about.job)).state).toBe('SUCCEEDED');
    expect(await shown(about)).toHaveLength(6);
  });

  test('one that is canceled leaves everything as it was', async () => {
    const about = await refining();
    const before = await stored(about);
    script.before = async ({ index }, signal) => {
      if (index !== 3) return;
      const { events, database } = slice.platform;
      const own = { jobId: about.job.id, ownerId: viewer.userId };
      await database.prisma.$transaction((tx) => requestCancel(tx, events, own));
      await waitFor('the cancel to arrive', () => signal.aborted);
    };
    slice.startWorker();
    expect((await finished(about.job)).state).toBe('CANCELED');
    expect(await stored(about)).toEqual(before);
  });

  test('an attempt that has lost its job changes nothing more', async () => {
    const about = await refining();
    const { prisma } = slice.platform.database;
    let isFirst = true;
    script.before = async ({ index }) => {
      if (index !== 3 || !isFirst) return;
      isFirst = false;
      await waitFor('another attempt to have done it', async () => {
        const { state, attempt } = await prisma.job.findUniqueOrThrow({ where: { id: about.job.id } });
        if (attempt === 1) await prisma.job.update({ where: { id: about.job.id }, data: { heartbeatAt: new Date(0) } });
        return state === 'SUCCEEDED';
      });
    };
    slice.startWorker();
    expect(await finished(about.job)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    await waitFor('the first attempt to be over', () => script.ended === 2);
    const done = await stored(about);
    await slice.startWorker().stop();
    expect(await stored(about)).toEqual(done);
    expect(await shown(about)).toContain('0 2 The weather is fine.');
    expect(await slice.platform.events.head(transcriptTopic(about.transcriptId))).toBe(8);
  });

  test('where no word is heard again, the words that were heard live stay', async () => {
    script.segments = [];
    const about = await refining();
    const before = await stored(about);
    slice.startWorker();
    expect(await finished(about.job)).toMatchObject({ state: 'FAILED', errorCode: 'NO_SPEECH' });
    expect(await stored(about)).toEqual(before);
  });

  test('a session without words is refined to one without words', async () => {
    script.segments = [];
    const about = await refining([]);
    slice.startWorker();
    expect((await finished(about.job)).state).toBe('SUCCEEDED');
  });

  test('nothing stays of an engine that fails and is followed by the next one', async () => {
    await slice[Symbol.asyncDispose]();
    const named = async (id: string, script: Script): Promise<Transcriber> => {
      const engine = await scripted(script).choose({});
      return { ...engine, info: { ...engine.info, id, version: `${id} 1` } };
    };
    const first = aScript(...SAID.slice(0, 3));
    first.before = ({ index }) => {
      if (index === 2) throw new TranscriberFailedError('it will not', { retryable: false });
    };
    await open(createTranscribers([await named('first', first), await named('second', aScript(HEARD_AGAIN[3]!))]));
    const about = await refining();
    slice.startWorker();
    await finished(about.job);
    expect(await shown(about)).toEqual(['2 2 Sold it instead.']);
    const [, transcript, , [line]] = (await stored(about)) as [unknown, object, unknown, object[]];
    expect(transcript).toMatchObject({ engine: 'second' });
    expect(line).toMatchObject({ engine: 'second', engineVersion: 'second 1' });
  });

  test('while it is under way and behind it, nothing is stale and nothing transcribed anew', async () => {
    const { mediaId, job } = await refining();
    const reprocess = (more = {}): Promise<unknown> =>
      askFor(
        slice.subgraph,
        viewer,
        'mutation Anew($input: ReprocessInput!) { reprocess(input: $input) { jobs { kind } errors { code } } }',
        { input: { mediaId, ...more } },
      );
    const nothing = { reprocess: { jobs: [], errors: [] } };
    expect(await reprocess({ options: { normalize: true } })).toEqual(nothing);
    slice.startWorker();
    await finished(job);
    expect(await reprocess()).toEqual(nothing);
    expect(await reprocess({ steps: ['REFINE_TRANSCRIPT'] })).toEqual(nothing);
    const anew = { reprocess: { jobs: [{ kind: 'TRANSCRIBE' }], errors: [] } };
    expect(await reprocess({ options: { normalize: true } })).toEqual(anew);
  });

  async function retry({ id: jobId }: Job): Promise<void> {
    const { events, database } = slice.platform;
    await database.prisma.$transaction((tx) => requestRetry(tx, events, { jobId, ownerId: viewer.userId }));
  }
});
