import { hostname } from 'node:os';
import { newId } from '../../../../platform/ids';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import type { SegmentRow } from '../../records';
import { soundOf, tonesFor } from '../../transcription/testing';
import { RecognitionRecords, SessionLost } from './recognition-records';
import { aHost, bytesOf, essence, SpokenSession } from './testing';
import { broken, toneEngine, type ToneEngine } from './tone-engine.testing';

let test_: TestPlatform;
let engine: ToneEngine;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
beforeEach(() => {
  engine = toneEngine();
});
afterEach(async () => {
  expect(engine.decoders).toBe(0);
  await test_.platform.database.prisma.liveSession.deleteMany();
});
afterAll(() => test_[Symbol.asyncDispose]());

/** Four phrases of three words, 0.7 s apart. */
const SPEECH = bytesOf(soundOf(tonesFor(6_000), 0, 6_000));
const PHRASES = ['n0 n1 n2', 'n3 n4 n5', 'n6 n7 n8', 'n9 n10 n11'];
const upTo = (ms: number): Uint8Array => SPEECH.subarray(0, ms * 32);
const from = (ms: number): Uint8Array => SPEECH.subarray(ms * 32);
const isFinal = ({ state }: SegmentRow): boolean => state === 'FINAL';
const textsOf = (segments: readonly SegmentRow[]): string[] => segments.map(({ text }) => text);
const begin = (options?: Parameters<typeof SpokenSession.begin>[1]) => SpokenSession.begin(test_.platform, options);
const start = (settings?: Parameters<typeof aHost>[2]) => aHost(test_.platform, engine, settings);

test('words appear as guesses and become final: one id, rising revisions, a beginning that stands still', async () => {
  await using _host = start();
  const session = await begin();
  for (let at = 0; at < SPEECH.length; at += 16_000) {
    await session.send(SPEECH.subarray(at, at + 16_000));
    await session.untilHeard(32_000n);
  }
  await session.end();
  const row = await session.until('ENDED');
  expect(row).toMatchObject({ heardBytes: BigInt(SPEECH.length), workerId: null, mediaId: null });
  const segments = await session.segments();
  expect(textsOf(segments)).toEqual(PHRASES);
  expect(segments.map(({ state, turnEnd, position }) => [state, turnEnd, position])).toEqual(
    segments.map((_, at) => ['FINAL', true, at]),
  );
  const told = await session.told();
  for (const { id } of segments) {
    const steps = told.filter((step) => step.id === id);
    expect(steps.map(({ revision }) => revision)).toEqual(steps.map((_, at) => at + 1));
    expect(steps.map(({ state }) => state)).toEqual([...steps.slice(1).map(() => 'PARTIAL'), 'FINAL']);
    expect(steps.length).toBeGreaterThan(1);
    steps.slice(1, -1).forEach((step, at) => {
      const { words, stableWords } = steps[at]!;
      expect(step.stableWords).toBeGreaterThanOrEqual(stableWords);
      expect(step.words.slice(0, stableWords)).toEqual(words.slice(0, stableWords));
    });
    expect(segments.find((segment) => segment.id === id)).toEqual(steps.at(-1));
  }
  expect(told.some(({ stableWords, state }) => state === 'PARTIAL' && stableWords > 0)).toBe(true);
});

test('the stream tells where speech begins and ends, and ends with transcript and session', async () => {
  await using _host = start();
  const session = await begin();
  await session.sendAll(SPEECH);
  await session.end();
  await session.until('ENDED');
  const events = await session.events();
  const boundaries = events.flatMap((event) =>
    event.type === 'speech.boundary' ? [[event.speaking, event.atMs]] : [],
  );
  expect(boundaries.map(([speaking]) => speaking)).toEqual(PHRASES.flatMap(() => [true, false]));
  expect(boundaries.slice(0, 2)).toEqual([
    [true, 0],
    [false, 1_110],
  ]);
  expect(events.slice(-2)).toMatchObject([
    { type: 'transcript.finished', state: 'COMPLETE', error: null },
    { type: 'session.changed', session: { state: 'ENDED' } },
  ]);
  const transcript = await test_.platform.database.prisma.transcript.findUniqueOrThrow({
    where: { id: session.transcriptId },
    include: { speakers: true },
  });
  expect(transcript).toMatchObject({ state: 'COMPLETE', durationMs: 6_000, language: 'en-US' });
  const { ownerId } = await session.row();
  expect(transcript.speakers).toMatchObject([{ key: 'owner', label: 'Speaker 1', userId: ownerId }]);
  await waitFor('the audio to be deleted', async () => {
    return (await test_.platform.database.prisma.liveAudio.count({ where: { sessionId: session.id } })) === 0;
  });
});

test('however the sound is cut into chunks, the same comes out', async () => {
  await using _host = start();
  const results: object[][] = [];
  for (const chunkBytes of [640, 3_000, 32_000]) {
    const session = await begin();
    await session.sendAll(SPEECH, chunkBytes);
    await session.end();
    await session.until('ENDED');
    results.push(essence(await session.segments()));
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('a flush makes what was said final without a pause', async () => {
  await using _host = start();
  const session = await begin();
  await session.sendAll(upTo(850));
  await session.flush();
  const [segment] = await waitFor('the segment to be final', async () => {
    const segments = await session.segments();
    return segments[0]?.state === 'FINAL' ? segments : null;
  });
  expect(segment).toMatchObject({ text: 'n0 n1', turnEnd: true });
  expect(await session.row()).toMatchObject({ state: 'LIVE' });
  await session.sendAll(SPEECH.subarray(850 * 32));
  await session.end();
  await session.until('ENDED');
  expect(textsOf(await session.segments())).toEqual(['n0 n1', 'n2', ...PHRASES.slice(1)]);
});

test('a writer that falls silent gives its place back, with all it said final, and goes on later', async () => {
  await using _host = start({ pauseAfterMs: 300, places: 1 });
  const session = await begin();
  await session.sendAll(upTo(2_400));
  await session.until('PAUSED');
  await waitFor('the place to be free', async () => (await session.row()).workerId === null && engine.decoders === 0);
  expect(textsOf(await session.segments())).toEqual(['n0 n1 n2', 'n3 n4']);
  expect((await session.segments()).every(({ state }) => state === 'FINAL')).toBe(true);
  await session.sendAll(from(2_400));
  await session.end();
  await session.until('ENDED');
  expect(textsOf(await session.segments())).toEqual(['n0 n1 n2', 'n3 n4', 'n5', ...PHRASES.slice(2)]);
  const states = (await session.events()).flatMap((event) =>
    event.type === 'session.changed' ? [event.session.state] : [],
  );
  expect(states).toEqual(['LIVE', 'PAUSED', 'LIVE', 'ENDING', 'ENDED']);
});

test('time alone pauses a session that nobody uses, and ends one that has paused for a day', async () => {
  const { prisma } = test_.platform.database;
  await using _host = start();
  const session = await begin();
  await prisma.$executeRaw`update media.live_session set created_at = now() - interval '61 s' where id = ${session.id}`;
  await session.until('PAUSED');
  await prisma.$executeRaw`update media.live_session set created_at = now() - interval '25 h' where id = ${session.id}`;
  expect(await session.until('ENDED')).toMatchObject({ isComplete: true });
});

test('a writer that was lost with the process it sent to is waited for longer than one that left or says nothing', async () => {
  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1_000);
  const live = { state: 'LIVE', lastAudioAt: ago(20) } as const;
  const lost = await begin({ ...live, writerSeenAt: ago(20) });
  const due = [
    await begin({ ...live, writerSeenAt: null }),
    await begin({ ...live, writerSeenAt: ago(0) }),
    await begin({ ...live, lastAudioAt: ago(61), writerSeenAt: ago(61) }),
  ];
  await using _host = start({ places: 0, pauseAfterMs: 10_000 });
  for (const session of due) await session.until('PAUSED');
  expect(await lost.row()).toMatchObject({ state: 'LIVE' });
});

test('a worker takes as many sessions as it has places', async () => {
  await using _host = start({ places: 1 });
  const sessions = [await begin(), await begin()];
  await waitFor('the place to be taken', () => engine.decoders === 1);
  const rows = () => Promise.all(sessions.map((session) => session.row()));
  const first = (await rows()).findIndex(({ workerId }) => workerId !== null);
  expect((await rows()).filter(({ workerId }) => workerId !== null)).toHaveLength(1);
  await sessions[first]!.end();
  await waitFor('the other one to be taken', async () => (await sessions[1 - first]!.row()).workerId);
  expect(engine.decoders).toBeLessThanOrEqual(1);
});

test('a worker’s row says which process it is; a session of its own that it does not hear it takes anew', async () => {
  await using _host = start();
  const heard = await begin();
  const { workerId } = await waitFor('a worker', async () => {
    const row = await heard.row();
    return row.workerId === null ? null : row;
  });
  expect(workerId!.split(':').slice(0, 2)).toEqual([hostname(), String(process.pid)]);
  const lost = await begin({ workerId, epoch: 3 }); // as when the database was away while it was claimed or released
  await lost.end();
  expect(await lost.until('ENDED')).toMatchObject({ epoch: 4 });
  expect(await heard.row()).toMatchObject({ workerId, epoch: 1 });
});

test('each final is written together with the checkpoint behind it', async () => {
  const write = jest.spyOn(RecognitionRecords.prototype, 'write');
  await using _host = start();
  const session = await begin();
  await session.sendAll(SPEECH);
  await session.end();
  await session.until('ENDED');
  const withFinals = write.mock.calls.map(([writing]) => writing).filter(({ segments }) => segments.some(isFinal));
  write.mockRestore();
  expect(withFinals).toHaveLength(PHRASES.length);
  expect(withFinals.every(({ checkpoint }) => checkpoint !== null)).toBe(true);
});

test.each(['FINAL', 'EDITED'] as const)(
  'what another worker had made %s behind its last checkpoint is heard again, and stays one segment',
  async (state) => {
    const session = await begin();
    const id = newId('seg');
    const { transcriptId } = session;
    const place = { position: 0, revision: 7, startMs: 0, endMs: 900 };
    const data = { id, transcriptId, state, ...place, text: 'n0 n1', language: 'en-US', words: [] };
    await test_.platform.database.prisma.segment.create({ data });
    await using _host = start();
    await session.sendAll(SPEECH);
    await session.end();
    await session.until('ENDED');
    const [first, ...others] = await session.segments();
    const isEdited = state === 'EDITED';
    const expected = { revision: isEdited ? 7 : 8, text: isEdited ? 'n0 n1' : PHRASES[0] };
    expect(first).toMatchObject({ id, state, ...expected });
    expect(textsOf(others)).toEqual(PHRASES.slice(1));
    const told = (await session.told()).filter((segment) => segment.id === id);
    expect(told.map((segment) => segment.state)).toEqual(isEdited ? [] : ['FINAL']);
  },
);

test('a worker that stops gives its session back in mid-sentence, and the next one goes on as if nothing had happened', async () => {
  const undisturbed = await begin();
  const session = await begin();
  const first = start();
  await undisturbed.sendAll(SPEECH);
  await undisturbed.end();
  await undisturbed.until('ENDED');
  await session.sendAll(upTo(2_500));
  const open = await waitFor('a guess', async () =>
    (await session.segments()).find(({ state }) => state === 'PARTIAL'),
  );
  await first[Symbol.asyncDispose]();
  expect(await session.row()).toMatchObject({ workerId: null, state: 'LIVE' });
  await using _second = start();
  await session.sendAll(from(2_500));
  await session.end();
  await session.until('ENDED');
  const segments = await session.segments();
  expect(essence(segments)).toEqual(essence(await undisturbed.segments()));
  expect(segments[1]!.id).toBe(open.id);
  expect(segments[1]!.revision).toBeGreaterThan(open.revision);
});

test('an engine that fails twice is opened anew, and nothing is lost', async () => {
  await using _host = start();
  let failures = 0;
  engine.before = (call) => {
    if (call === 'finish' && engine.opened.length > 0 && failures < 2 && ++failures) throw broken();
  };
  const session = await begin();
  await session.sendAll(SPEECH);
  await session.end();
  await session.until('ENDED');
  expect(engine.opened).toHaveLength(3);
  expect(textsOf(await session.segments())).toEqual(PHRASES);
  expect(new Set((await session.told()).map(({ id }) => id)).size).toBe(PHRASES.length);
});

test('an engine that fails three times with nothing final in between fails the session, and what was heard is kept', async () => {
  await using _host = start();
  let finals = 0;
  engine.before = (call) => {
    if (call === 'finish' && ++finals > 2) throw broken();
  };
  const session = await begin();
  await session.sendAll(SPEECH);
  const row = await session.until('FAILED');
  expect(row).toMatchObject({
    errorCode: 'INTERNAL',
    errorMessage: expect.stringContaining('speech engine') as string,
  });
  expect(textsOf(await session.segments())).toEqual(PHRASES.slice(0, 2));
  const shown = new Map((await session.told()).map((segment) => [segment.id, segment.text]));
  expect([...shown.values()].filter((text) => text !== '')).toEqual(PHRASES.slice(0, 2));
  expect((await session.events()).slice(-2)).toMatchObject([
    { type: 'transcript.finished', state: 'FAILED', error: { code: 'INTERNAL', retryable: false } },
    { type: 'session.changed', session: { state: 'FAILED', errorCode: 'INTERNAL' } },
  ]);
});

test.each(['ENDED', 'FAILED'] as const)(
  'a session that is %s leaves its recording, when one was wanted',
  async (state) => {
    await using _host = start();
    const session = await begin({ record: true, title: 'Sermon' });
    await session.sendAll(upTo(2_000));
    if (state === 'FAILED') {
      engine.before = () => {
        throw broken();
      };
    }
    await session.end();
    await session.until(state);
    const mediaId = await waitFor('the recording', async () => (await session.row()).mediaId);
    const { prisma } = test_.platform.database;
    const media = await prisma.media.findUniqueOrThrow({ where: { id: mediaId }, include: { transcripts: true } });
    expect(media).toMatchObject({ title: 'Sermon', kind: 'AUDIO', durationMs: 2_000 });
    expect(media.transcripts).toMatchObject([{ id: session.transcriptId }]);
    await waitFor('the audio to be deleted', async () => {
      return (await prisma.liveAudio.count({ where: { sessionId: session.id } })) === 0;
    });
  },
);

test('a session whose engine is not here fails with the reason', async () => {
  await using _host = start();
  const session = await begin({ plan: { engine: 'elsewhere' } });
  const row = await session.until('FAILED');
  expect(row).toMatchObject({
    errorCode: 'ENGINE_UNAVAILABLE',
    errorMessage: expect.stringContaining('elsewhere') as string,
  });
});

test('what began as speech and was none is told as empty, and is no part of the transcript', async () => {
  await using _host = start();
  const session = await begin();
  await session.sendAll(upTo(900));
  await waitFor('a guess', async () => (await session.segments()).length === 1);
  engine.nothingSaid = true;
  await session.flush();
  await waitFor('the segment to be gone', async () => (await session.segments()).length === 0);
  const told = await session.told();
  expect(told.at(-1)).toMatchObject({ id: told[0]!.id, state: 'FINAL', text: '', words: [] });
  engine.nothingSaid = false;
  await session.sendAll(from(900));
  await session.end();
  await session.until('ENDED');
  const segments = await session.segments();
  expect(segments.map(({ position }) => position)).toEqual(segments.map((_, at) => at));
});

test('the wishes of the plan reach the engine; what shall not be kept is neither stored nor told', async () => {
  await using _host = start();
  const words = ['call', 'five', 'six', 'seven', 'eight', 'nine', 'one', 'two', 'now', 'shit', 'yes', 'yes'];
  engine.word = (number) => words[number]!;
  const plan = { keyterms: ['Kisumu'], maskProfanity: true, redact: ['PHONE' as const] };
  const session = await begin({ plan });
  for (let at = 0; at < SPEECH.length; at += 16_000) {
    await session.send(SPEECH.subarray(at, at + 16_000));
    await session.untilHeard(32_000n);
  }
  await session.end();
  await session.until('ENDED');
  expect(engine.opened[0]).toMatchObject({ language: 'en-US', vocabulary: { keyterms: ['Kisumu'] } });
  expect(textsOf(await session.segments())).toEqual(['call [PHONE]', '[PHONE]', '[PHONE] now', 's*** yes yes']);
  const everything = JSON.stringify(await session.events());
  for (const word of ['five', 'six', 'nine', 'two', 'shit']) expect(everything).not.toContain(`"${word}`);
  expect(everything).not.toMatch(/five|seven|shit/);
});

test('what a person corrects in mid-sentence stays as they wrote it', async () => {
  await using _host = start();
  const session = await begin();
  await session.sendAll(upTo(900));
  const open = await waitFor('a guess', async () => (await session.segments())[0]);
  const { prisma } = test_.platform.database;
  await prisma.segment.update({ where: { id: open.id }, data: { state: 'EDITED', text: 'Mine', revision: 99 } });
  await session.sendAll(from(900));
  await session.end();
  await session.until('ENDED');
  expect((await session.segments())[0]).toMatchObject({ id: open.id, state: 'EDITED', text: 'Mine', revision: 99 });
});

test('whoever has lost a session writes nothing and tells nothing', async () => {
  const session = await begin();
  const row = await session.row();
  const stale = new RecognitionRecords(test_.platform.database, row);
  await test_.platform.database.prisma.liveSession.update({
    where: { id: session.id },
    data: { epoch: { increment: 1 } },
  });
  const segment: SegmentRow = {
    ...{ id: 'seg_x', transcriptId: session.transcriptId, position: 0, revision: 1, state: 'FINAL', channel: 0 },
    ...{
      speakerId: null,
      startMs: 0,
      endMs: 1,
      text: 'late',
      confidence: 1,
      language: 'en',
      words: [],
      stableWords: 0,
    },
    turnEnd: true,
  };
  const events = [{ type: 'segment.changed', segment } as const];
  const writing = { heardBytes: 9, checkpoint: null, segments: [segment], removedIds: [], events };
  await expect(stale.write(writing)).rejects.toThrow(SessionLost);
  await expect(stale.readAudio(0)).rejects.toThrow(SessionLost);
  await expect(stale.transaction(async () => undefined)).rejects.toThrow(SessionLost);
  expect(await session.segments()).toEqual([]);
  expect(await session.events()).toEqual([]);
  expect((await session.row()).heardBytes).toBe(0n);
  await new RecognitionRecords(test_.platform.database, await session.row()).write(writing);
  expect(textsOf(await session.segments())).toEqual(['late']);
});
