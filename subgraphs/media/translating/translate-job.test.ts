import { jobEnd } from '../../../platform/testing/job-end';
import { UserProblemError } from '../../../platform/errors';
import { newId } from '../../../platform/ids';
import { type Job } from '../../../platform/jobs/job';
import { requestCancel } from '../../../platform/jobs/job-commands';
import { aViewer, ask, askFor } from '../../../platform/testing/calls';
import { waitFor } from '../../../platform/testing/wait';
import {
  aCompleteTranscript,
  aScript,
  openMediaSlice,
  scripted,
  writtenTranslator,
  type MediaSlice,
  type Problem,
  type WrittenTranslator,
} from '../testing';

const viewer = aViewer();
let translator: WrittenTranslator;
let slice: MediaSlice;
let transcriptId: string;

beforeEach(async () => {
  translator = writtenTranslator('es', 'ca');
  slice = await openMediaSlice(scripted(aScript()), { translator });
  ({ transcriptId } = await aCompleteTranscript(slice, viewer, ['One two three.', 'Four five.', 'Six.']));
});
afterEach(() => slice[Symbol.asyncDispose]());

interface Answer {
  jobs: { id: string; state: string; result: { id: string } | null }[];
  errors: Problem[];
}
const TRANSLATE = `mutation Go($input: TranslateTranscriptInput!) { translateTranscript(input: $input) {
  jobs { id state result { ... on TranscriptTranslation { id } } } errors { code message path } } }`;

async function translate(input: object, by = viewer): Promise<Answer> {
  const variables = { input: { transcriptId, ...input } };
  return (await askFor<{ translateTranscript: Answer }>(slice.subgraph, by, TRANSLATE, variables)).translateTranscript;
}

interface Shown {
  id: string;
  language: string;
  engine: string | null;
  staleSegments: number;
  text: string;
}
async function translations(): Promise<Shown[]> {
  const query = `query Read($id: ID!) { transcript(id: $id) { translations { id language engine staleSegments text transcript { id } } } }`;
  const { transcript } = await askFor<{ transcript: { translations: Shown[] } }>(slice.subgraph, viewer, query, {
    id: transcriptId,
  });
  return transcript.translations;
}

const ended = ({ jobs }: Answer): Promise<Job> => jobEnd(slice.platform, jobs[0]!.id);

/** Corrects a segment as `editSegment` does. */
async function correct(position: number, text: string): Promise<void> {
  const { prisma } = slice.platform.database;
  await prisma.segment.update({
    where: { transcriptId_position: { transcriptId, position } },
    data: { text, revision: { increment: 1 } },
  });
  await prisma.transcript.update({ where: { id: transcriptId }, data: { revision: { increment: 1 } } });
}

const problems = ({ errors }: Answer): string[] => errors.map(({ code, path }) => `${code} ${path?.join('.')}`);

test('a translation is there from the beginning, and complete when its job has succeeded', async () => {
  const answer = await translate({ to: ['es', 'ca', 'es'] });
  expect(answer.jobs.map(({ state }) => state)).toEqual(['QUEUED', 'QUEUED']);
  expect(await translations()).toMatchObject([
    { id: answer.jobs[0]!.result!.id, language: 'es', engine: null, staleSegments: 3, text: '' },
    { id: answer.jobs[1]!.result!.id, language: 'ca', engine: null, staleSegments: 3, text: '' },
  ]);
  slice.startWorker();
  expect(await ended(answer)).toMatchObject({
    state: 'SUCCEEDED',
    size: BigInt('One two three.Four five.Six.'.length),
  });
  expect((await translations())[0]).toMatchObject({
    engine: 'written',
    staleSegments: 0,
    text: 'es:One two three.\nes:Four five.\nes:Six.',
    transcript: { id: transcriptId },
  });
});

test('only what was corrected since is translated again, and what stands beside it', async () => {
  slice.startWorker();
  await ended(await translate({ to: ['es'] }));
  const [before] = await translations();
  await correct(2, 'Seven.');
  expect(await translations()).toMatchObject([{ staleSegments: 1 }]);
  translator.requests = [];
  await ended(await translate({ to: ['es'] }));
  expect(translator.requests.map(({ texts }) => texts)).toEqual([['Four five.', 'Seven.']]);
  expect(await translations()).toMatchObject([
    { id: before!.id, staleSegments: 0, text: 'es:One two three.\nes:Four five.\nes:Seven.' },
  ]);
  translator.requests = [];
  await ended(await translate({ to: ['es'] }));
  expect(translator.requests).toEqual([]);
});

test('all of it is translated again by another version of the engine', async () => {
  slice.startWorker();
  await ended(await translate({ to: ['es'] }));
  translator.version = '2';
  translator.requests = [];
  await ended(await translate({ to: ['es'] }));
  expect(translator.requests.map(({ texts }) => texts)).toEqual([['One two three.', 'Four five.', 'Six.']]);
});

test('a second attempt goes on behind what the first one has committed', async () => {
  await aLongTranscript();
  translator.before = () => {
    if (translator.requests.length === 2) throw new Error('The process died.');
  };
  slice.startWorker();
  const job = await ended(await translate({ to: ['es'] }));
  expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  const begins = translator.requests.map(({ texts }) => texts[0]);
  expect(begins).toEqual(['Sentence number 0.', 'Sentence number 25.', 'Sentence number 25.', 'Sentence number 50.']);
  expect(await translations()).toMatchObject([{ staleSegments: 0 }]);
});

test('a cancel stops the engine and leaves nothing of a first translation', async () => {
  let reached = false;
  translator.before = (signal) => {
    reached = true;
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
  };
  slice.startWorker();
  const answer = await translate({ to: ['es'] });
  await waitFor('the engine to be asked', () => reached);
  const own = { jobId: answer.jobs[0]!.id, ownerId: viewer.userId };
  await slice.platform.database.prisma.$transaction((tx) => requestCancel(tx, slice.platform.events, own));
  expect(await ended(answer)).toMatchObject({ state: 'CANCELED' });
  expect(await translations()).toEqual([]);
});

test('a cancel of a renewal keeps the translation that was there', async () => {
  const worker = slice.startWorker();
  await ended(await translate({ to: ['es'] }));
  await worker.stop();
  await correct(0, 'Zero.');
  const answer = await translate({ to: ['es'] });
  const own = { jobId: answer.jobs[0]!.id, ownerId: viewer.userId };
  await slice.platform.database.prisma.$transaction((tx) => requestCancel(tx, slice.platform.events, own));
  slice.startWorker();
  expect(await ended(answer)).toMatchObject({ state: 'CANCELED' });
  expect(await translations()).toMatchObject([{ staleSegments: 1, text: expect.stringContaining('es:One') as string }]);
});

test('an engine that is gone is told with its reason, after all attempts', async () => {
  const answer = await translate({ to: ['es'] });
  translator.failure = new UserProblemError({ code: 'ENGINE_UNAVAILABLE', message: 'Install it.', retryAfterMs: 1 });
  slice.startWorker();
  expect(await ended(answer)).toMatchObject({
    state: 'FAILED',
    attempt: 3,
    errorCode: 'ENGINE_UNAVAILABLE',
    errorMessage: 'Install it.',
  });
});

test('what cannot be translated is refused before a job is made', async () => {
  expect(problems(await translate({ to: [] }))).toEqual(['INVALID_INPUT input.to']);
  expect(problems(await translate({ to: [...'abcdefghijk'].map((c) => `a${c}`) }))).toEqual(['INVALID_INPUT input.to']);
  expect(problems(await translate({ to: ['es', 'en'] }))).toEqual(['INVALID_INPUT input.to.1']);
  expect(problems(await translate({ to: ['sw'] }))).toEqual(['LANGUAGE_PAIR_UNSUPPORTED input.to.0']);
  expect(problems(await translate({ to: ['es'] }, aViewer()))).toEqual(['NOT_FOUND input.transcriptId']);
  expect(problems(await translate({ to: ['es'], transcriptId: newId('trn') }))).toEqual([
    'NOT_FOUND input.transcriptId',
  ]);
  translator.failure = new UserProblemError({ code: 'ENGINE_UNAVAILABLE', message: 'Install it.' });
  expect(problems(await translate({ to: ['es'] }))).toEqual(['ENGINE_UNAVAILABLE input.to.0']);
  translator.failure = null;
  await slice.platform.database.prisma.transcript.update({ where: { id: transcriptId }, data: { state: 'FAILED' } });
  expect(problems(await translate({ to: ['es'] }))).toEqual(['INVALID_STATE input.transcriptId']);
  expect(await slice.platform.database.prisma.job.count({ where: { kind: 'TRANSLATE_TRANSCRIPT' } })).toBe(0);
  expect(await translations()).toEqual([]);
});

test('a translation is shown to its owner only', async () => {
  await translate({ to: ['es'] });
  const [{ id }] = (await translations()) as [Shown];
  const entity = `{ _entities(representations: [{ __typename: "TranscriptTranslation", id: "${id}" }]) { ... on TranscriptTranslation { language } } }`;
  expect(await askFor(slice.subgraph, viewer, entity)).toEqual({ _entities: [{ language: 'es' }] });
  expect(await askFor(slice.subgraph, aViewer(), entity)).toEqual({ _entities: [null] });
  expect((await ask(slice.subgraph, null, entity)).data).toEqual({ _entities: [null] });
});

/** A transcript of three engine calls. */
async function aLongTranscript(): Promise<void> {
  const texts = Array.from({ length: 75 }, (_, index) => `Sentence number ${index}.`);
  ({ transcriptId } = await aCompleteTranscript(slice, viewer, texts));
}
