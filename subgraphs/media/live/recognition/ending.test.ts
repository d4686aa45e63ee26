import { viewerTopic } from '../../../../platform/identity/viewer-topic';
import type { Platform } from '../../../../platform/platform';
import { ledgerFaults } from '../../../../platform/testing/ledger';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { soundOf, tonesFor } from '../../transcription/testing';
import { aHost, bytesOf, SpokenSession } from './testing';
import { toneEngine } from './tone-engine.testing';

const SPEECH = bytesOf(soundOf(tonesFor(3_000), 0, 3_000));

let test_: TestPlatform;
afterEach(() => test_[Symbol.asyncDispose]());

async function spoken(maxFileBytes: number): Promise<SpokenSession> {
  test_ = await openTestPlatform({ maxFileBytes });
  await using _host = aHost(test_.platform, toneEngine());
  const session = await SpokenSession.begin(test_.platform, { record: true, refine: true });
  await session.sendAll(SPEECH);
  await session.end();
  await session.until('ENDED');
  return session;
}

test('a session that is recorded and refined ends with its media, and the job that hears it again', async () => {
  const session = await spoken(SPEECH.length + 44);
  const { mediaId, errorCode } = await session.row();
  const { prisma } = test_.platform.database;
  const media = await prisma.media.findUniqueOrThrow({ where: { id: mediaId! }, include: { transcripts: true } });
  expect(media).toMatchObject({ kind: 'AUDIO', durationMs: 3_000, transcripts: [{ id: session.transcriptId }] });
  expect(await prisma.job.findMany()).toMatchObject([{ kind: 'REFINE_TRANSCRIPT', subjectId: mediaId, size: 3_000n }]);
  expect(errorCode).toBeNull();
});

test('a session pays for the minutes that were heard, its better pass included, and never with more than there is', async () => {
  const session = await spoken(SPEECH.length + 44);
  const { ownerId } = await session.row();
  const { prisma } = test_.platform.database;
  const entries = await prisma.creditEntry.findMany({ where: { ownerId }, orderBy: { position: 'asc' } });
  expect(entries).toMatchObject([
    { reason: 'PLAN', amount: 10_000 },
    { reason: 'CHARGE', amount: -1, jobId: null, note: expect.stringContaining('Live session liv_') as string },
  ]);
  expect(await prisma.job.findMany()).toMatchObject([{ kind: 'REFINE_TRANSCRIPT', credits: 0 }]);
  expect(await test_.platform.events.head(viewerTopic(ownerId))).toBe(1);
  expect(await ledgerFaults(test_.platform)).toEqual([]);
});

test('one whose account has nothing left ends all the same', async () => {
  test_ = await openTestPlatform({ plans: [{ id: 'none', name: 'None', monthlyCredits: 0, maxConcurrentJobs: 1 }] });
  await using _host = aHost(test_.platform, toneEngine());
  const session = await SpokenSession.begin(test_.platform, { record: true, refine: true });
  await session.sendAll(SPEECH);
  await session.end();
  const { ownerId } = await session.until('ENDED');
  const { prisma } = test_.platform.database;
  expect(await prisma.creditAccount.findUnique({ where: { ownerId } })).toMatchObject({ balance: 0, held: 0 });
  expect(await prisma.job.count()).toBe(1);
});

test('one that is too long for a recording ends with a complete transcript, and says why there is none', async () => {
  const session = await spoken(SPEECH.length + 43);
  const why = { mediaId: null, errorCode: 'FILE_TOO_LARGE', errorMessage: expect.stringMatching(/at most 96043/) };
  expect(await session.row()).toMatchObject(why);
  expect((await session.events()).at(-1)).toMatchObject({ session: { state: 'ENDED', ...why } });
  const { prisma } = test_.platform.database;
  const transcript = await prisma.transcript.findUniqueOrThrow({ where: { id: session.transcriptId } });
  expect([transcript.state, await prisma.job.count()]).toEqual(['COMPLETE', 0]);
  expect(await session.segments()).not.toEqual([]);
});

/** The platform, whose disk is full for the first `failures` recordings. */
function withFullDisk(platform: Platform, failures: number): { platform: Platform; tries: () => number } {
  let tries = 0;
  const hold: Platform['objects']['hold'] = async (incoming) => {
    if (++tries <= failures) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    return platform.objects.hold(incoming);
  };
  const objects = Object.create(platform.objects, { hold: { value: hold } }) as Platform['objects'];
  return { platform: { ...platform, objects }, tries: () => tries };
}

test.each([
  { failures: 2, end: { errorCode: null } },
  { failures: 3, end: { mediaId: null, errorCode: 'INTERNAL', errorMessage: expect.stringMatching(/not be stored/) } },
])('a full disk is tried again, and holds no place for ever: $failures failures', async ({ failures, end }) => {
  test_ = await openTestPlatform();
  const { platform, tries } = withFullDisk(test_.platform, failures);
  await using _host = aHost(platform, toneEngine(), { retriesMs: [1, 1] });
  const session = await SpokenSession.begin(platform, { record: true });
  await session.sendAll(SPEECH);
  await session.end();
  const row = await session.until('ENDED');
  expect(row).toMatchObject({ ...end, workerId: null });
  expect([tries(), row.mediaId === null]).toEqual([3, failures === 3]);
  const { prisma } = platform.database;
  const transcript = await prisma.transcript.findUniqueOrThrow({ where: { id: session.transcriptId } });
  expect(transcript).toMatchObject({ state: 'COMPLETE', durationMs: 3_000 });
});

test('a session that breaks again and again by a fault of ours fails, and its place is free', async () => {
  test_ = await openTestPlatform();
  const engine = toneEngine();
  const fault = new TypeError('undefined is not a function');
  engine.before = () => {
    throw fault;
  };
  await using _host = aHost(test_.platform, engine, { brokenMs: 1 });
  const session = await SpokenSession.begin(test_.platform);
  await session.sendAll(SPEECH);
  const end = { errorCode: 'INTERNAL', errorMessage: expect.stringMatching(/again and again/) };
  expect(await session.until('FAILED')).toMatchObject({ ...end, workerId: null });
  expect(engine.opened).toHaveLength(30);
});
