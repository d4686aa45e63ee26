import { newId } from '../../../platform/ids';
import { aViewer, ask, askFor } from '../../../platform/testing/calls';
import { aCompleteTranscript, aScript, openMediaSlice, scripted, type MediaSlice } from '../testing';

let viewer = aViewer();
let slice: MediaSlice;
beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()));
});
afterAll(() => slice[Symbol.asyncDispose]());
beforeEach(async () => {
  viewer = aViewer();
  await slice.platform.database.prisma.job.deleteMany();
});

interface Estimate {
  expectedMs: number;
  queuePosition: number;
  expectedAt: string;
}
const QUERY = 'query Ask($input: EstimateInput!) { estimate(input: $input) { expectedMs queuePosition expectedAt } }';
const estimate = async (input: object): Promise<Estimate> =>
  (await askFor<{ estimate: Estimate }>(slice.subgraph, viewer, QUERY, { input })).estimate;

/** Jobs that have ended, or wait, without having run. */
async function jobs(count: number, data: object): Promise<void> {
  await slice.platform.database.prisma.job.createMany({
    data: Array.from({ length: count }, () => ({
      ...{ id: newId('job'), ownerId: viewer.userId, subjectId: newId('med'), kind: 'TRANSCRIBE' },
      ...{ payload: {}, maxAttempts: 3, ...data },
    })),
  });
}

test('before anything has been done here, it goes by our measurements', async () => {
  const hour = 3_600_000;
  const expectedMs = async (kind: string, more = {}): Promise<number> =>
    (await estimate({ kind, durationMs: hour, ...more })).expectedMs;
  expect(await expectedMs('TRANSCRIBE')).toBe(200 + 576_000);
  expect(await expectedMs('TRANSLATE_TRANSCRIPT')).toBe(200 + 2_520);
  expect(await expectedMs('TRANSLATE_TRANSCRIPT', { targetLanguages: 10 })).toBe(200 + 25_200);
  expect(await expectedMs('EXPORT_TRANSCRIPT')).toBe(200 + 360);
  expect(await expectedMs('TRANSCODE')).toBe(200 + 900_000);
});

test('it goes by the speed of earlier jobs of the kind', async () => {
  const finishedAt = new Date();
  const attemptStartedAt = new Date(finishedAt.getTime() - 10_000);
  await jobs(3, { state: 'SUCCEEDED', size: 200_000, attemptStartedAt, finishedAt });
  expect((await estimate({ kind: 'TRANSCRIBE', durationMs: 60_000 })).expectedMs).toBe(200 + 3_000);
});

test('jobs that wait come before, and put the end off', async () => {
  const asked = Date.now();
  expect(await estimate({ kind: 'TRANSCRIBE', durationMs: 60_000 })).toMatchObject({ queuePosition: 0 });
  await jobs(4, { state: 'QUEUED' });
  const { queuePosition, expectedMs, expectedAt } = await estimate({ kind: 'TRANSCRIBE', durationMs: 60_000 });
  expect(queuePosition).toBe(4);
  expect(Date.parse(expectedAt)).toBeGreaterThanOrEqual(asked + 5 * expectedMs);
});

const MINUTE = 60_000;
const untilExpected = async (): Promise<number> => {
  const { expectedAt } = await estimate({ kind: 'TRANSCRIBE', durationMs: 1_000 });
  return Date.parse(expectedAt) - Date.now();
};
const running = (count: number, minutesLeft: number) =>
  jobs(count, {
    ...{ state: 'RUNNING', attemptStartedAt: new Date() },
    expectedAt: new Date(Date.now() + minutesLeft * MINUTE),
  });

test('what is left of a running job is waited for', async () => {
  await running(1, 20);
  expect(await untilExpected()).toBeGreaterThan(19 * MINUTE);
});

test('a waiting job counts with its own size', async () => {
  await jobs(1, { state: 'QUEUED', size: 100 * MINUTE });
  expect(await untilExpected()).toBeGreaterThan(15 * MINUTE); // 16, as fast as we have measured
});

test('jobs that run side by side share what waits', async () => {
  await running(2, 20);
  await jobs(1, { state: 'QUEUED', size: 100 * MINUTE });
  const waitMs = await untilExpected();
  expect(waitMs).toBeGreaterThan(27 * MINUTE); // half of 20 + 20 + 16
  expect(waitMs).toBeLessThan(30 * MINUTE);
});

test('nothing is waited for when as many have run at once before, and fewer do now', async () => {
  const finishedAt = new Date();
  const attemptStartedAt = new Date(finishedAt.getTime() - 10_000);
  await jobs(2, { state: 'SUCCEEDED', size: 100_000, attemptStartedAt, finishedAt });
  await running(1, 20);
  expect(await untilExpected()).toBeLessThan(MINUTE);
});

test('a recording counts by its own length, its translation by its own text', async () => {
  const { mediaId } = await aCompleteTranscript(slice, viewer, ['x'.repeat(2_000), 'y'.repeat(2_000)]);
  expect((await estimate({ kind: 'TRANSCRIBE', mediaId })).expectedMs).toBe(200 + 320);
  expect((await estimate({ kind: 'TRANSLATE_TRANSCRIPT', mediaId, targetLanguages: 2 })).expectedMs).toBe(200 + 400);
});

test.each([
  [{ kind: 'TRANSCRIBE' }, 'BAD_USER_INPUT'],
  [{ kind: 'TRANSCRIBE', durationMs: 1, mediaId: newId('med') }, 'BAD_USER_INPUT'],
  [{ kind: 'TRANSCRIBE', durationMs: 0 }, 'BAD_USER_INPUT'],
  [{ kind: 'TRANSLATE_TRANSCRIPT', durationMs: 1, targetLanguages: 11 }, 'BAD_USER_INPUT'],
  [{ kind: 'TRANSLATE_TRANSCRIPT', durationMs: 1, targetLanguages: 0 }, 'BAD_USER_INPUT'],
  [{ kind: 'TRANSCRIBE', mediaId: newId('med') }, 'NOT_FOUND'],
])('%j is refused with %s', async (input, code) => {
  const { errors } = await ask(slice.subgraph, viewer, QUERY, { input });
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual([code]);
});

test('a foreign recording is not found', async () => {
  const { mediaId } = await aCompleteTranscript(slice, aViewer(), ['One.']);
  const { errors } = await ask(slice.subgraph, viewer, QUERY, { input: { kind: 'TRANSCRIBE', mediaId } });
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['NOT_FOUND']);
});
