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
