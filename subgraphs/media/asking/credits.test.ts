import { Readable } from 'node:stream';
import { requestRetry } from '../../../platform/jobs/job-commands';
import { aViewer, anUpload, askFor } from '../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { jobEnd } from '../../../platform/testing/job-end';
import { leaveCredits, ledgerFaults } from '../../../platform/testing/ledger';
import {
  aCompleteTranscript,
  aScript,
  aWav,
  createMedia,
  heard,
  openMediaSlice,
  scripted,
  writtenTranslator,
  type MediaSlice,
  type Problem,
} from '../testing';

let viewer = aViewer();
let slice: MediaSlice;
beforeAll(async () => {
  const script = aScript(heard(0, 500, 'One two three.'));
  slice = await openMediaSlice(scripted(script), { translator: writtenTranslator('es', 'ca') });
});
beforeEach(() => {
  viewer = aViewer();
});
afterEach(async () => expect(await ledgerFaults(slice.platform)).toEqual([]));
afterAll(() => slice[Symbol.asyncDispose]());

interface Answer {
  job: { id: string; credits: number } | null;
  errors: Problem[];
}
const TRANSCRIBE = `mutation Go($input: TranscribeInput!) {
  transcribe(input: $input) { job { id credits } errors { code message path } } }`;
const transcribe = async (input: object): Promise<Answer> =>
  (await askFor<{ transcribe: Answer }>(slice.subgraph, viewer, TRANSCRIBE, { input })).transcribe;
const leave = (credits: number): Promise<void> => leaveCredits(slice.platform, viewer.userId, credits);
async function account(): Promise<{ balance: number; held: number }> {
  const where = { ownerId: viewer.userId };
  const { balance, held } = await slice.platform.database.prisma.creditAccount.findUniqueOrThrow({ where });
  return { balance, held };
}
const jobsOfViewer = () => slice.platform.database.prisma.job.findMany({ where: { ownerId: viewer.userId } });
async function aRecording(seconds = 10): Promise<string> {
  const { media } = await createMedia(slice, viewer, { upload: anUpload(aWav(seconds), 'talk.wav') });
  return media!.id;
}
const estimate = async (input: object): Promise<number> => {
  const query = 'query Ask($input: EstimateInput!) { estimate(input: $input) { credits } }';
  return (await askFor<{ estimate: { credits: number } }>(slice.subgraph, viewer, query, { input })).estimate.credits;
};

test('of 50 starts at once with credits for one, one is taken and 49 are told what is missing', async () => {
  const mediaId = await aRecording();
  await leave(1);
  const answers = await Promise.all(Array.from({ length: 50 }, () => transcribe({ mediaId })));
  const [taken, refused] = [answers.filter(({ job }) => job), answers.filter(({ job }) => !job)];
  expect(taken).toMatchObject([{ job: { credits: 1 }, errors: [] }]);
  const message = 'This takes 1 credits, and 0 are left: 1 are missing.';
  expect(refused.map(({ errors }) => errors)).toEqual(
    Array.from({ length: 49 }, () => [{ code: 'INSUFFICIENT_CREDITS', message, path: null }]),
  );
  expect(await account()).toEqual({ balance: 0, held: 1 });
  expect(await jobsOfViewer()).toHaveLength(1);
});

test('a call whose jobs cost more than there is makes none of them', async () => {
  const mediaId = await aRecording();
  await leave(2);
  const { job, errors } = await transcribe({ mediaId, translateTo: ['es', 'ca'], exports: [{ format: 'TXT' }] });
  expect([job, errors.map(({ code }) => code)]).toEqual([null, ['INSUFFICIENT_CREDITS']]);
  expect(await account()).toEqual({ balance: 2, held: 0 });
  expect(await jobsOfViewer()).toEqual([]);
});

test('a repeated call is answered with the job of the first, and holds nothing more', async () => {
  const mediaId = await aRecording();
  await leave(1);
  const calls = await Promise.all([1, 2, 3].map(() => transcribe({ mediaId, idempotencyKey: 'talk' })));
  expect(new Set(calls.map(({ job }) => job!.id)).size).toBe(1);
  expect(await account()).toEqual({ balance: 0, held: 1 });
});

test('whoever has no credits is told before the bytes of a recording are read', async () => {
  await leave(0);
  const bytes = Readable.from([aWav(1)]);
  const { media, errors } = await createMedia(slice, viewer, { upload: anUpload(bytes, 'talk.wav'), transcribe: {} });
  expect([media, errors.map(({ code }) => code)]).toEqual([null, ['INSUFFICIENT_CREDITS']]);
  expect(bytes.readableDidRead).toBe(false);
  expect((await createMedia(slice, viewer, { upload: anUpload(aWav(1), 'talk.wav') })).errors).toEqual([]);
});

test('an estimate says what each kind of work costs: begun minutes, begun thousands of characters', async () => {
  const minutes = (count: number, more: object): object => ({ durationMs: count * 60_000, ...more });
  expect(await estimate({ kind: 'TRANSCRIBE', durationMs: 1 })).toBe(1);
  expect(await estimate(minutes(60, { kind: 'TRANSCRIBE' }))).toBe(60);
  expect(await estimate({ kind: 'TRANSCODE', durationMs: 60_001 })).toBe(2);
  expect(await estimate(minutes(10, { kind: 'TRANSLATE_TRANSCRIPT', targetLanguages: 3 }))).toBe(3 * 9); // 8,400 characters
  expect(await estimate(minutes(10, { kind: 'EXPORT_TRANSCRIPT' }))).toBe(0);
  expect(await estimate(minutes(10, { kind: 'REFINE_TRANSCRIPT' }))).toBe(0);
});

test('a translation costs what its estimate says, and is held with the call', async () => {
  const { transcriptId, mediaId } = await aCompleteTranscript(slice, viewer, ['word '.repeat(500).trim()]);
  expect(await estimate({ kind: 'TRANSLATE_TRANSCRIPT', mediaId, targetLanguages: 2 })).toBe(6);
  const query = `mutation Go($input: TranslateTranscriptInput!) {
    translateTranscript(input: $input) { jobs { credits } errors { code } } }`;
  const input = { transcriptId, to: ['es', 'ca'] };
  await leave(10);
  const { translateTranscript } = await askFor<{ translateTranscript: object }>(slice.subgraph, viewer, query, {
    input,
  });
  expect(translateTranscript).toEqual({ jobs: [{ credits: 3 }, { credits: 3 }], errors: [] });
  expect(await account()).toEqual({ balance: 4, held: 6 });
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a recording whose length nobody has asked', () => {
  beforeEach(() => slice.startWorker());

  test('costs 1 until it is looked into; when more is missing then, the job says so and gives back what it held', async () => {
    const { mediaId, jobId } = await started(130, 2);
    const failed = await jobEnd(slice.platform, jobId);
    expect(failed).toMatchObject({ state: 'FAILED', errorCode: 'INSUFFICIENT_CREDITS', credits: 0, attempt: 1 });
    expect(await account()).toEqual({ balance: 2, held: 0 });
    // Now it is known: what does not suffice is refused at once.
    expect(await transcribe({ mediaId })).toMatchObject({ job: null, errors: [{ code: 'INSUFFICIENT_CREDITS' }] });

    await leave(3);
    const own = { jobId, ownerId: viewer.userId };
    const { prisma } = slice.platform.database;
    await prisma.$transaction((tx) => requestRetry(tx, slice.platform.events, own));
    expect(await account()).toEqual({ balance: 0, held: 3 });
    expect(await jobEnd(slice.platform, jobId)).toMatchObject({ state: 'SUCCEEDED', credits: 3 });
    expect(await account()).toEqual({ balance: 0, held: 0 });
  });

  test('costs what it has when there is enough', async () => {
    const { jobId } = await started(130, 10);
    expect(await jobEnd(slice.platform, jobId)).toMatchObject({ state: 'SUCCEEDED', credits: 3 });
    expect(await account()).toEqual({ balance: 7, held: 0 });
  });

  async function started(seconds: number, credits: number): Promise<{ mediaId: string; jobId: string }> {
    await leave(credits);
    const upload = anUpload(aWav(seconds), 'talk.wav');
    const { media, job } = await createMedia(slice, viewer, { upload, transcribe: {} });
    return { mediaId: media!.id, jobId: job!.id };
  }
});
