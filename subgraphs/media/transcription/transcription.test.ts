import { jobEnd } from '../../../platform/testing/job-end';
import { newId } from '../../../platform/ids';
import { FINAL_STATES, type Job } from '../../../platform/jobs/job';
import { requestRetry } from '../../../platform/jobs/job-commands';
import { deriveCallKey } from '../../../platform/identity/call-identity';
import { silentLogger } from '../../../platform/logger';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { aViewer, askFor, anUpload } from '../../../platform/testing/calls';
import { freePort } from '../../../platform/testing/free-port';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import { createFilesSubgraph } from '../../files/subgraph';
import { createMedia, openMediaSlice, transcribing, wholeStream, type MediaSlice } from '../testing';
import { InvalidVocabularyError } from '../transcriber/pocketsphinx/vocabulary/grammar-text';
import { EngineUnavailableError, TranscriberFailedError, type PieceRule } from '../transcriber/transcriber';
import { createTranscribers } from '../transcriber/transcribers';
import { toneEngine, tonesFor, toneWav, type Tone, type ToneEngine } from './testing';

const viewer = aViewer();
const RULE: PieceRule = { idealMs: 4_000, maxMs: 8_000, parallel: 2 };
const TONES = tonesFor(30_000);
const RECORDING = toneWav(30_000, TONES);
const said = (tones: readonly Tone[]): [string, number][] =>
  tones.map(({ number, startMs }) => [`n${number}`, startMs]);

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a recording that is cut into pieces', () => {
  let engine: ToneEngine;
  let slice: MediaSlice;

  beforeEach(async () => {
    engine = toneEngine(RULE);
    slice = await openMediaSlice(createTranscribers([engine]));
  });
  afterEach(() => slice[Symbol.asyncDispose]());

  const prisma = () => slice.platform.database.prisma;
  const finished = (id: string): Promise<Job> => jobEnd(slice.platform, id);
  const heard = async (transcriptId: string): Promise<[string, number][]> => {
    const rows = await prisma().segment.findMany({ where: { transcriptId }, orderBy: { position: 'asc' } });
    expect(rows.map(({ position }) => position)).toEqual([...rows.keys()]);
    return rows.map(({ text, startMs }) => [text, startMs]);
  };
  const transcript = (id: string) => prisma().transcript.findUniqueOrThrow({ where: { id } });
  const atPiece = (startMs: number | undefined, place: number): boolean => startMs! > place && startMs! < place + 4_500;

  test('becomes one transcript without a seam, with its progress, its engine and its lineage', async () => {
    const { transcriptId, jobId, mediaId } = await transcribing(slice, viewer, RECORDING, { language: 'en' });
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, size: 30_000n });
    expect(await heard(transcriptId)).toEqual(said(TONES));
    expect(engine.mostRunning).toBe(2);
    expect(await transcript(transcriptId)).toMatchObject({
      engine: 'tones',
      language: 'en',
      languageConfidence: null,
      durationMs: 30_000,
      confidence: 0.8,
      checkpoint: null,
    });
    const media = await prisma().media.findUniqueOrThrow({ where: { id: mediaId } });
    expect(await prisma().lineage.findUniqueOrThrow({ where: { outputId: transcriptId } })).toMatchObject({
      mediaId,
      kind: 'TRANSCRIBE',
      inputIds: [media.fileId],
      engine: 'tones',
      engineVersion: '1',
      settings: { language: 'en', perChannel: false },
    });
    const told = (
      await prisma().event.findMany({ where: { topic: `jobs:${viewer.userId}` }, orderBy: { seq: 'asc' } })
    ).map(({ payload }) => (payload as { progress: number }).progress);
    expect(told).toEqual([...told].sort((one, other) => one - other));
  });

  test('goes on behind its checkpoint with another worker, and tells nothing twice', async () => {
    let isStopped = false;
    engine.before = ({ startMs, signal }) => {
      if (isStopped || !atPiece(startMs, 11_000)) return;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer, RECORDING);
    const worker = slice.startWorker();
    const checkpoint = await waitFor('pieces to be kept', async () => {
      const kept = (await transcript(transcriptId)).checkpoint as { heardMs: number } | null;
      return kept && kept.heardMs > 10_000 ? kept : null;
    });
    isStopped = true;
    await worker.stop();
    engine.calls = [];
    slice.startWorker();
    await finished(jobId);
    expect(engine.calls.map(({ startMs }) => startMs!)[0]).toBe(checkpoint.heardMs);
    const told = await prisma().event.findMany({ where: { topic: `jobs:${viewer.userId}` }, orderBy: { seq: 'asc' } });
    const second = told
      .map(({ payload }) => payload as { attempt: number; stage: string | null; progress: number })
      .filter(({ attempt, stage }) => attempt === 2 && stage !== null);
    const { size } = await prisma().job.findUniqueOrThrow({ where: { id: jobId } });
    expect(second[0]!.stage).toBe('fetch');
    expect(second[0]!.progress).toBeCloseTo(checkpoint.heardMs / Number(size));
    expect(await heard(transcriptId)).toEqual(said(TONES));
    const events = await wholeStream(slice, viewer, { id: transcriptId });
    expect(events.flatMap(({ segment }) => segment?.revision ?? [])).toEqual(TONES.map(() => 1));
    expect(events.at(-1)).toMatchObject({ state: 'COMPLETE', removedSegmentIds: [] });
  });

  test('keeps what was heard when it fails; tried again it goes on, and so does who follows it', async () => {
    engine.before = ({ startMs }) => {
      if (startMs! > 15_000) throw new TranscriberFailedError('not this one', { retryable: false });
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer, RECORDING);
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({ state: 'FAILED', attempt: 1 });
    const kept = await heard(transcriptId);
    expect(kept).toEqual(said(TONES).slice(0, kept.length));
    expect(kept.length).toBeGreaterThan(0);
    const failed = await wholeStream(slice, viewer, { id: transcriptId });
    expect(failed.at(-1)).toMatchObject({ state: 'FAILED', removedSegmentIds: [] });

    engine.before = () => undefined;
    engine.calls = [];
    await prisma().$transaction([
      prisma().job.update({ where: { id: jobId }, data: { state: 'QUEUED', maxAttempts: 4, errorCode: null } }),
      prisma().jobOutbox.upsert({
        where: { jobId },
        create: { jobId, ownerId: viewer.userId, runAt: new Date() },
        update: { runAt: new Date() },
      }),
    ]);
    const [whole, snapshot, behind] = await Promise.all([
      wholeStream(slice, viewer, { id: transcriptId }),
      wholeStream(slice, viewer, { id: transcriptId, snapshot: true }),
      wholeStream(slice, viewer, { id: transcriptId, after: failed.at(-1)!.cursor }),
    ]);
    expect(engine.calls[0]!.startMs).toBeGreaterThan(0);
    expect(await heard(transcriptId)).toEqual(said(TONES));
    const ends = (events: { state?: string }[]): string[] => events.flatMap(({ state }) => state ?? []);
    expect([ends(whole), ends(snapshot), ends(behind)]).toEqual([['FAILED', 'COMPLETE'], ['COMPLETE'], ['COMPLETE']]);
    expect(whole.slice(0, failed.length)).toEqual(failed);
    expect(behind).toHaveLength(TONES.length - kept.length + 1);
  });

  test('channels become speakers, each word once, in the order of time', async () => {
    const other = tonesFor(12_000).map((tone) => ({ ...tone, startMs: tone.startMs + 350 }));
    const input = toneWav(13_000, tonesFor(12_000), other);
    const whole = toneEngine(null);
    await using streaming = await openMediaSlice(createTranscribers([whole]));
    for (const each of [slice, streaming]) {
      const { transcriptId, jobId } = await transcribing(each, viewer, input, { perChannel: true });
      each.startWorker();
      const rows = await waitFor('the end', async () => {
        const job = await each.platform.database.prisma.job.findUniqueOrThrow({ where: { id: jobId } });
        if (!FINAL_STATES.includes(job.state)) return null;
        const where = { transcriptId };
        const include = { speaker: true };
        return each.platform.database.prisma.segment.findMany({ where, orderBy: { position: 'asc' }, include });
      });
      expect(rows.map(({ startMs }) => startMs)).toEqual(rows.map(({ startMs }) => startMs).sort((a, b) => a - b));
      const of = (at: number) =>
        rows.filter(({ channel }) => channel === at).map(({ text, startMs }) => [text, startMs]);
      expect([of(0), of(1)]).toEqual([said(tonesFor(12_000)), said(other)]);
      expect(new Set(rows.map(({ channel, speaker }) => `${channel} ${speaker!.key} ${speaker!.label}`))).toEqual(
        new Set(['0 channel:0 Channel 1', '1 channel:1 Channel 2']),
      );
    }
  });

  test('what shall not be kept is neither stored nor announced, and wishes reach the engine', async () => {
    // Nine digits take longer than a piece: there is a cut between them.
    engine.word = (number) => (number === 40 ? 'shit' : number >= 20 && number < 29 ? 'five' : 'word');
    const options = { keyterms: ['  Kisumu  town '], maskProfanity: true, redact: ['PHONE'], language: 'en-GB' };
    const { transcriptId, jobId } = await transcribing(slice, viewer, RECORDING, options);
    slice.startWorker();
    await finished(jobId);
    expect(engine.calls[0]).toMatchObject({ language: 'en-GB', vocabulary: { keyterms: ['Kisumu town'] } });
    const texts = new Set((await heard(transcriptId)).map(([text]) => text));
    expect([...texts].sort()).toEqual(['[PHONE]', 's***', 'word']);
    const rows = await prisma().event.findMany({ where: { topic: `transcript:${transcriptId}` } });
    expect(JSON.stringify(rows.map(({ payload }) => payload))).not.toMatch(/shit|five/);
  });

  test('a worker without the store’s disk fetches the recording by a signed link', async () => {
    const port = await freePort();
    await using apart = await openMediaSlice(
      createTranscribers([engine]),
      {},
      { fetchFilesFrom: `http://127.0.0.1:${port}` },
    );
    const { platform } = apart;
    const callKey = deriveCallKey(platform.secret, 'files');
    const subgraph = createFilesSubgraph(platform);
    const { transcriptId, jobId } = await transcribing(apart, viewer, RECORDING);
    await using _server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port, logger: silentLogger });
    platform.objects.localPath = () => Promise.reject(new Error('There is no disk of the store here.'));
    apart.startWorker();
    await wholeStream(apart, viewer, { id: transcriptId });
    expect(await platform.database.prisma.job.findUniqueOrThrow({ where: { id: jobId } })).toMatchObject({
      state: 'SUCCEEDED',
    });
  });
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'engines of which the first fails', () => {
  test.each([
    ['the next one begins from the beginning', null, 'COMPLETE', 'second'],
    ['nobody takes over from the one that was asked for', 'first', 'FAILED', 'first'],
  ])('%s', async (_what, wanted, state, by) => {
    const first = toneEngine(RULE, { id: 'first' });
    const second = toneEngine(null, { id: 'second', version: '2' });
    first.before = ({ startMs }) => {
      if (startMs! > 10_000) throw new TranscriberFailedError('out of memory', { retryable: false });
    };
    first.word = (number) => `wrong${number}`;
    await using slice = await openMediaSlice(createTranscribers([first, second]));
    const { transcriptId } = await transcribing(slice, viewer, RECORDING, { engine: wanted });
    slice.startWorker();
    const events = await wholeStream(slice, viewer, { id: transcriptId });
    expect(events.at(-1)).toMatchObject({ state, removedSegmentIds: [] });
    const { prisma } = slice.platform.database;
    expect(await prisma.transcript.findUniqueOrThrow({ where: { id: transcriptId } })).toMatchObject({ engine: by });
    if (state === 'FAILED') return expect(second.calls).toEqual([]);
    const rows = await prisma.segment.findMany({ where: { transcriptId }, orderBy: { position: 'asc' } });
    expect(rows.map(({ text, startMs }) => [text, startMs])).toEqual(said(TONES));
    expect(rows[0]).toMatchObject({ revision: 2 });
    expect(await prisma.lineage.findUniqueOrThrow({ where: { outputId: transcriptId } })).toMatchObject({
      engine: 'second',
      engineVersion: '2',
    });
  });
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'an engine that fails', () => {
  let first: ToneEngine;
  let second: ToneEngine;
  let slice: MediaSlice;

  beforeEach(async () => {
    first = toneEngine(RULE, { id: 'first' });
    second = toneEngine({ ...RULE, parallel: 1 }, { id: 'second' });
    slice = await openMediaSlice(createTranscribers([first, second]));
  });
  afterEach(() => slice[Symbol.asyncDispose]());

  const prisma = () => slice.platform.database.prisma;
  const finished = (id: string): Promise<Job> => jobEnd(slice.platform, id);
  const textsOf = async (transcriptId: string): Promise<string[]> => {
    const rows = await prisma().segment.findMany({ where: { transcriptId }, orderBy: { position: 'asc' } });
    return rows.map(({ text }) => text);
  };

  test('is not asked again when it will not take the recording, while the next one is tried again where it stopped', async () => {
    first.before = () => {
      throw new TranscriberFailedError('not this one', { retryable: false });
    };
    let failures = 3; // of a piece, before the engine counts as failed
    second.before = ({ startMs }) => {
      if (startMs! > 10_000 && failures-- > 0) throw new TranscriberFailedError('it crashed');
    };
    const { transcriptId, jobId } = await transcribing(slice, viewer, RECORDING);
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    expect(second.calls.filter(({ startMs }) => startMs === 0)).toHaveLength(1);
    expect(first.calls.length).toBeLessThanOrEqual(RULE.parallel);
    expect(await textsOf(transcriptId)).toEqual(said(TONES).map(([text]) => text));
  });

  test('for a while is tried again, though the last one will not take the recording at all', async () => {
    let isDown = true;
    first.before = ({ startMs }) => {
      if (isDown && startMs! > 10_000) throw new EngineUnavailableError('no credit');
    };
    second.before = () => {
      isDown = false;
      throw new TranscriberFailedError('not this one', { retryable: false });
    };
    const { jobId } = await transcribing(slice, viewer, RECORDING);
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    expect(second.calls).toHaveLength(1);
  });

  test('has no follower once a person has corrected what it heard, and goes on behind that', async () => {
    let isDown = true;
    const { transcriptId, jobId } = await transcribing(slice, viewer, RECORDING);
    first.before = async ({ startMs }) => {
      if (!isDown || startMs! < 15_000) return;
      await waitFor('pieces to be kept', async () => (await textsOf(transcriptId)).length > 3);
      await prisma().segment.updateMany({
        where: { transcriptId, position: 3 },
        data: { state: 'EDITED', text: 'Corrected.', revision: 2 },
      });
      isDown = false;
      throw new TranscriberFailedError('out of memory', { retryable: false });
    };
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({ state: 'FAILED', attempt: 1 });
    expect(second.calls).toEqual([]);
    await prisma().$transaction((tx) => requestRetry(tx, slice.platform.events, { jobId, ownerId: viewer.userId }));
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED' });
    const texts = said(TONES).map(([text], at) => (at === 3 ? 'Corrected.' : text));
    expect(await textsOf(transcriptId)).toEqual(texts);
  });

  test('a correction behind the last segment that was heard in the end stays', async () => {
    const { transcriptId, jobId } = await transcribing(slice, viewer, RECORDING);
    await prisma().segment.create({
      data: {
        ...{ id: newId('seg'), transcriptId, position: 900, state: 'EDITED', text: 'Corrected.', words: [] },
        ...{ startMs: 29_000, endMs: 29_500, language: 'en' },
      },
    });
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await textsOf(transcriptId)).toEqual([...said(TONES).map(([text]) => text), 'Corrected.']);
  });

  test('over what it was told to expect is neither asked again nor followed', async () => {
    first.before = () => {
      throw new InvalidVocabularyError(3, 'nothing here knows how "xyzzy" is said.');
    };
    const grammar = '#JSGF V1.0; grammar g; public <g> = xyzzy;';
    const { jobId } = await transcribing(slice, viewer, RECORDING, { grammar });
    slice.startWorker();
    expect(await finished(jobId)).toMatchObject({
      ...{ state: 'FAILED', attempt: 1, errorCode: 'INVALID_INPUT', errorRetryable: false },
      errorMessage: expect.stringContaining('xyzzy') as unknown,
    });
    expect(second.calls).toEqual([]);
  });
});

describe('options of recognition', () => {
  let slice: MediaSlice;
  beforeAll(async () => {
    slice = await openMediaSlice(createTranscribers([toneEngine(RULE)]));
  });
  afterAll(() => slice[Symbol.asyncDispose]());

  const begin = (transcribe: object, idempotencyKey?: string) =>
    createMedia(slice, viewer, { upload: anUpload(toneWav(1_000, TONES), 'a.wav'), transcribe, idempotencyKey });

  test.each<[string, object, string, string]>([
    ['language and languages', { language: 'en', languages: ['sw', 'fr'] }, 'languages', 'INVALID_INPUT'],
    ['21 languages', { languages: [...'abcdefghijklmnopqrstu'].map((x) => `a${x}`) }, 'languages', 'INVALID_INPUT'],
    ['a language nobody knows', { language: 'fr' }, 'language', 'UNSUPPORTED'],
    ['detection that no engine can do', { languages: ['en', 'sw'] }, 'languages', 'UNSUPPORTED'],
    ['speakers that no engine can tell', { speakers: true }, 'speakers', 'UNSUPPORTED'],
    ['maxSpeakers alone', { maxSpeakers: 2 }, 'maxSpeakers', 'INVALID_INPUT'],
    ['31 speakers', { speakers: true, maxSpeakers: 31 }, 'maxSpeakers', 'INVALID_INPUT'],
    ['no speakers', { speakers: true, maxSpeakers: 0 }, 'maxSpeakers', 'INVALID_INPUT'],
    ['1,001 keyterms', { keyterms: Array.from({ length: 1_001 }, (_, at) => `t${at}`) }, 'keyterms', 'INVALID_INPUT'],
    ['a keyterm of 21 words', { keyterms: ['a '.repeat(21)] }, 'keyterms', 'INVALID_INPUT'],
    ['a keyterm of 201 characters', { keyterms: ['a'.repeat(201)] }, 'keyterms', 'INVALID_INPUT'],
    ['an empty keyterm', { keyterms: [' '] }, 'keyterms', 'INVALID_INPUT'],
    ['a keyterm with a NUL', { keyterms: ['a\u0000b'] }, 'keyterms', 'INVALID_INPUT'],
    ['a grammar and keyterms', { keyterms: ['a'], grammar: '#JSGF V1.0;' }, 'grammar', 'INVALID_INPUT'],
    ['a grammar of something else', { grammar: 'root ::= "a"' }, 'grammar', 'INVALID_INPUT'],
    ['a grammar of 10,001 characters', { grammar: `#JSGF V1.0;${' '.repeat(9_990)}` }, 'grammar', 'INVALID_INPUT'],
  ])('%s: refused, and nothing is kept', async (_what, options, field, code) => {
    const { media, job, errors } = await begin(options);
    expect([media, job]).toEqual([null, null]);
    expect(errors.map((error) => [error.code, error.path])).toEqual([[code, ['input', 'transcribe', field]]]);
  });

  test('all of them are part of what a repeated call must repeat', async () => {
    const first = await begin({ keyterms: ['a b'], redact: ['CARD', 'PHONE'] }, 'k1');
    const again = await begin({ keyterms: ['a  b'], redact: ['PHONE', 'CARD'], speakers: false }, 'k1');
    expect(again.job?.id).toBe(first.job!.id);
    for (const other of [{ keyterms: ['a'] }, { redact: ['CARD'] }, { normalize: true }, { perChannel: true }]) {
      const { errors } = await begin({ keyterms: ['a b'], redact: ['CARD', 'PHONE'], ...other }, 'k1');
      expect(errors.map(({ code }) => code)).toEqual(['IDEMPOTENCY_MISMATCH']);
    }
  });

  test('channels need no engine that tells speakers apart', async () => {
    const { job, errors } = await begin({ speakers: true, perChannel: true });
    expect(errors).toEqual([]);
    const { payload } = await slice.platform.database.prisma.job.findUniqueOrThrow({ where: { id: job!.id } });
    expect(payload).toMatchObject({ perChannel: true, speakers: null, language: 'en-US', pinned: false });
    expect(await askFor(slice.subgraph, viewer, '{ mediaEngines { id } }')).toBeDefined();
  });
});
