import { jobEnd } from '../../../platform/testing/job-end';
import type { Job } from '../../../platform/jobs/job';
import { requestCancel } from '../../../platform/jobs/job-commands';
import { aViewer, anUpload, askFor } from '../../../platform/testing/calls';
import { programMissing, describeWhenInstalled } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import {
  aScript,
  aWav,
  createMedia,
  heard,
  openMediaSlice,
  scripted,
  transcribing,
  wholeStream,
  type MediaSlice,
  type Script,
} from '../testing';
import { EngineUnavailableError, TranscriberFailedError } from '../transcriber/transcriber';

const viewer = aViewer();
const SEGMENTS = [heard(0, 500, 'One two three.'), heard(1, 3_000, 'Four five.', 0.5), heard(2, 6_000, 'Six.', 0.7)];

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a transcription', () => {
  let script: Script;
  let slice: MediaSlice;

  beforeEach(async () => {
    script = aScript(...SEGMENTS);
    slice = await openMediaSlice(scripted(script));
  });
  afterEach(() => slice[Symbol.asyncDispose]());

  const finished = (id: string): Promise<Job> => jobEnd(slice.platform, id);
  const read = async (id: string) => {
    const query = `query Read($id: ID!) { transcript(id: $id) {
      state language engine confidence durationMs text
      media { durationMs kind language transcript { id } }
      segments { nodes { id revision startMs endMs text confidence words { text startMs endMs confidence } } } } }`;
    interface Read {
      transcript: Record<string, unknown> & {
        media: Record<string, unknown>;
        segments: { nodes: { id: string; revision: number; text: string }[] };
      };
    }
    return (await askFor<Read>(slice.subgraph, viewer, query, { id })).transcript;
  };
  const events = async (id: string): Promise<string[]> =>
    (await wholeStream(slice, viewer, { id })).map(({ __typename, segment, state }) =>
      segment ? `${segment.text} ${segment.revision}` : `${__typename} ${state}`,
    );

  test('stores and announces each segment once, and ends with the numbers of the whole', async () => {
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    expect(await events(transcriptId)).toEqual([
      'One two three. 1',
      'Four five. 1',
      'Six. 1',
      'TranscriptFinished COMPLETE',
    ]);
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: 1 });

    const transcript = await read(transcriptId);
    expect(transcript).toMatchObject({
      state: 'COMPLETE',
      language: 'en-US',
      engine: 'scripted',
      durationMs: 10_000,
      text: 'One two three.\nFour five.\nSix.',
      media: { durationMs: 10_000, kind: 'AUDIO', language: 'en-US', transcript: { id: transcriptId } },
    });
    // (600 ms · 0.9 + 400 ms · 0.5 + 200 ms · 0.7) / 1200 ms
    expect(transcript.confidence).toBeCloseTo(0.733, 3);
    expect(transcript.segments.nodes).toEqual(
      SEGMENTS.map(({ index: _index, language: _language, ...segment }) => ({
        ...segment,
        id: expect.any(String) as string,
        revision: 1,
      })),
    );
  });

  test('progress is the audio heard so far, in two stages', async () => {
    const atLast = new Promise<void>((resolve) => {
      script.before = async (segment, signal) => {
        if (segment.index !== 2) return;
        await waitFor(
          'progress to be written',
          async () => (await slice.platform.database.prisma.job.findFirstOrThrow()).progress > 0.3,
        );
        signal.throwIfAborted();
        resolve();
      };
    });
    const { jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    await atLast;
    await finished(jobId);
    const rows = await slice.platform.database.prisma.event.findMany({
      where: { topic: `jobs:${viewer.userId}` },
      orderBy: { seq: 'asc' },
    });
    const told = rows.map((row) => row.payload as unknown as { stage: string | null; progress: number });
    expect([...new Set(told.map(({ stage }) => stage))].at(-1)).toBe('recognize');
    expect(['fetch', 'inspect', 'recognize']).toEqual(
      expect.arrayContaining([...new Set(told.flatMap(({ stage }) => stage ?? []))]),
    );
    const measured = told.map(({ progress }) => progress);
    expect(measured).toEqual([...measured].sort((one, other) => one - other));
    // The last segment ends behind 6.2 of 10 s; ffmpeg hands over about 2 s at a time.
    expect(measured.filter((fraction) => fraction > 0.3 && fraction < 0.7)).not.toEqual([]);
  });

  test('an attempt that hears the same as the one before repeats neither a row nor an event', async () => {
    let failures = 0;
    script.before = ({ index }) => {
      if (index === 2 && failures++ === 0) throw new TranscriberFailedError('the thread died');
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    expect(await events(transcriptId)).toEqual([
      'One two three. 1',
      'Four five. 1',
      'Six. 1',
      'TranscriptFinished COMPLETE',
    ]);
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 2, errorCode: null });
    expect(script.begun).toBe(2);
    expect((await read(transcriptId)).segments.nodes).toHaveLength(3);
  });

  test('an attempt that hears something else gives the next revision, and removes what is no longer there', async () => {
    script.before = ({ index }) => {
      if (index !== 2 || script.begun > 1) return;
      script.segments = [SEGMENTS[0]!, heard(1, 3_000, 'Forty five.')];
      throw new TranscriberFailedError('the thread died');
    };
    script.segments = [SEGMENTS[0]!, SEGMENTS[1]!, SEGMENTS[2]!];
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    await finished(jobId);
    expect(await events(transcriptId)).toEqual([
      'One two three. 1',
      'Four five. 1',
      'Forty five. 2',
      'TranscriptFinished COMPLETE',
    ]);
    const stream = await wholeStream(slice, viewer, { id: transcriptId });
    expect(stream[1]!.segment!.id).toBe(stream[2]!.segment!.id);
    expect(stream[3]!.removedSegmentIds).toEqual([]);
    expect((await read(transcriptId)).text).toBe('One two three.\nForty five.');
  });

  test('segments behind the end of the last attempt are removed and named', async () => {
    script.before = ({ index }) => {
      if (index !== 2 || script.begun > 1) return;
      script.segments = [SEGMENTS[0]!];
      throw new TranscriberFailedError('the thread died');
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    await finished(jobId);
    const [first, second, end] = await wholeStream(slice, viewer, { id: transcriptId });
    expect(end).toMatchObject({ state: 'COMPLETE', removedSegmentIds: [second!.segment!.id] });
    expect((await read(transcriptId)).segments.nodes.map(({ id }) => id)).toEqual([first!.segment!.id]);
  });

  test('an engine that keeps breaking ends in a failure that keeps what was heard', async () => {
    script.before = ({ index }) => {
      if (index === 1) throw new TranscriberFailedError('the thread died');
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    const [segment, end] = await wholeStream(slice, viewer, { id: transcriptId });
    expect(segment).toMatchObject({ segment: { text: 'One two three.', revision: 1 } });
    expect(end).toMatchObject({
      state: 'FAILED',
      error: { code: 'INTERNAL', retryable: true },
      removedSegmentIds: [],
      transcript: { id: transcriptId, state: 'FAILED', text: 'One two three.' },
    });
    expect(await finished(jobId)).toMatchObject({ state: 'FAILED', attempt: 3, errorCode: 'INTERNAL' });
    expect(await read(transcriptId)).toMatchObject({ state: 'FAILED', media: { language: null } });
  });

  test('a cancel stops the engine and leaves no half transcript', async () => {
    script.before = ({ index }, signal) => {
      if (index !== 1) return;
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    const stream = wholeStream(slice, viewer, { id: transcriptId });
    await waitFor('the first segment', async () => (await read(transcriptId)).segments.nodes.length === 1);
    const { prisma } = slice.platform.database;
    await prisma.$transaction((tx) => requestCancel(tx, slice.platform.events, { jobId, ownerId: viewer.userId }));
    expect((await stream).at(-1)).toMatchObject({
      state: 'CANCELED',
      error: null,
      removedSegmentIds: [expect.any(String)],
    });
    expect(await finished(jobId)).toMatchObject({ state: 'CANCELED' });
    expect(script.ended).toBe(1);
    expect((await read(transcriptId)).segments.nodes).toEqual([]);
  });

  test('a cancel before the job has started ends the transcript too', async () => {
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    const { prisma } = slice.platform.database;
    await prisma.$transaction((tx) => requestCancel(tx, slice.platform.events, { jobId, ownerId: viewer.userId }));
    slice.startWorker();
    expect(await events(transcriptId)).toEqual(['TranscriptFinished CANCELED']);
    expect(script.begun).toBe(0);
  });

  test('a worker that goes down in the middle leaves the rest to the next one', async () => {
    let isStopped = false;
    script.before = ({ index }, signal) => {
      if (index !== 1 || isStopped) return;
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
      );
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer);
    const worker = slice.startWorker();
    await waitFor('the first segment', async () => (await read(transcriptId)).segments.nodes.length === 1);
    isStopped = true;
    await worker.stop();
    expect((await read(transcriptId)).segments.nodes).toHaveLength(1);
    slice.startWorker();
    expect(await events(transcriptId)).toEqual([
      'One two three. 1',
      'Four five. 1',
      'Six. 1',
      'TranscriptFinished COMPLETE',
    ]);
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('audio without speech ends at once with NO_SPEECH and its length', async () => {
    script.segments = [];
    const { transcriptId, jobId } = await transcribing(slice, viewer, aWav(12));
    slice.startWorker();
    const [end] = await wholeStream(slice, viewer, { id: transcriptId });
    expect(end).toMatchObject({ state: 'FAILED', error: { code: 'NO_SPEECH', retryable: false } });
    expect(end!.error!.message).toMatch(
      /^No speech was recognized in 12 s of audio; 0 s of it \(0 %\) sounded like a voice\./,
    );
    expect(await finished(jobId)).toMatchObject({ attempt: 1 });
  });

  test.each([
    ['a recording of 0 seconds', aWav(0), 'INVALID_INPUT'],
    ['a recording that lost its end', aWav(10).subarray(0, 40_000), 'INVALID_INPUT'],
    [
      'bytes that only begin like an MP3',
      Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(5_000, 7)]),
      'TYPE_NOT_ALLOWED',
    ],
  ])('%s fails at once with a problem of the file', async (_what, bytes, code) => {
    const { jobId, transcriptId } = await transcribing(slice, viewer, bytes);
    slice.startWorker();
    const job = await finished(jobId);
    expect(job).toMatchObject({ state: 'FAILED', attempt: 1, errorCode: code, errorRetryable: false });
    expect(job.errorMessage).toMatch(/\. |\.$/);
    expect(await events(transcriptId)).toEqual(['TranscriptFinished FAILED']);
  });

  test('an engine that is gone when the job starts is told with what to install', async () => {
    const { jobId } = await transcribing(slice, viewer);
    script.probe = { available: false, reason: 'Install it with: apt-get install voice' };
    slice.startWorker();
    const job = await finished(jobId);
    expect(job).toMatchObject({ state: 'FAILED', errorCode: 'ENGINE_UNAVAILABLE', errorRetryable: true });
    expect(job.errorMessage).toMatch(/apt-get install voice/);
  });

  test('an engine that turns out to be missing in the middle is told the same way', async () => {
    script.before = () => {
      throw new EngineUnavailableError('The model is gone.');
    };
    const { jobId } = await transcribing(slice, viewer);
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({
      errorCode: 'ENGINE_UNAVAILABLE',
      errorMessage: 'The model is gone.',
    });
  });

  test('a video is told by its picture, and its name does not matter', async () => {
    const { media, errors } = await createMedia(slice, viewer, { upload: anUpload(aWav(1), 'holiday.mp4') });
    expect({ media, errors }).toMatchObject({ media: { kind: 'AUDIO', title: 'holiday' }, errors: [] });
  });
});
