import { aViewer, askFor } from '../../../platform/testing/calls';
import { waitFor } from '../../../platform/testing/wait';
import { FINAL_STATES } from '../../../platform/jobs/job';
import { newId } from '../../../platform/ids';
import { settingsOf, type RecognitionPlan } from '../transcription/recognition-plan';
import {
  aCompleteTranscript,
  aScript,
  openMediaSlice,
  scripted,
  writtenTranslator,
  type MediaSlice,
  type Problem,
  type Script,
  type WrittenTranslator,
} from '../testing';
import { probeFfmpeg } from '../decoder/ffmpeg';
import { recordLineage } from './lineage';
import { renditionOrigin } from './origins';

const viewer = aViewer();
const PLAN: RecognitionPlan = {
  ...{ language: 'en', languages: [], speakers: null, keyterms: [], grammar: null },
  ...{ perChannel: false, maskProfanity: false, redact: [], normalize: false, engine: 'scripted', pinned: false },
};
let script: Script;
let translator: WrittenTranslator;
let slice: MediaSlice;
let mediaId: string;
let transcriptId: string;

beforeAll(async () => {
  script = aScript();
  translator = writtenTranslator('es');
  slice = await openMediaSlice(scripted(script), { translator });
  slice.startWorker();
});
afterAll(() => slice[Symbol.asyncDispose]());
beforeEach(async () => {
  script.probe = { available: true };
  translator.version = '1';
  ({ mediaId, transcriptId } = await aCompleteTranscript(slice, viewer, ['One two three.', 'Four five.']));
  await asIfTranscribed('');
  await begin('translateTranscript', { transcriptId, to: ['es'] }, 'jobs');
  await begin('exportTranscript', { transcriptId, format: 'TXT' });
  await begin('exportTranscript', { transcriptId, format: 'SRT', options: { translation: 'es' } });
  await allEnded();
});

/** Notes where the transcript comes from, as its job does. */
async function asIfTranscribed(engineVersion: string): Promise<void> {
  const { prisma } = slice.platform.database;
  const { fileId } = await prisma.media.findUniqueOrThrow({ where: { id: mediaId } });
  await prisma.transcript.update({ where: { id: transcriptId }, data: { options: PLAN } });
  const origin = { inputIds: [fileId], engine: 'scripted', engineVersion, settings: settingsOf(PLAN) };
  await prisma.$transaction((tx) => recordLineage(tx, { outputId: transcriptId, mediaId, kind: 'TRANSCRIBE' }, origin));
}

async function begin(mutation: string, input: object, made = 'job'): Promise<void> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation Go($input: ${type}!) { ${mutation}(input: $input) { ${made} { id } errors { message } } }`;
  const answer = await askFor<Record<string, { errors: unknown[] }>>(slice.subgraph, viewer, query, { input });
  expect(answer[mutation]!.errors).toEqual([]);
}

const allEnded = (): Promise<boolean> =>
  waitFor('all jobs to end', async () => {
    const jobs = await slice.platform.database.prisma.job.findMany({ where: { subjectId: mediaId } });
    return jobs.every(({ state }) => FINAL_STATES.includes(state));
  });

interface Line {
  outputId: string;
  kind: string;
  inputIds: string[];
  engine: string;
  engineVersion: string;
  settings: Record<string, unknown>;
  settingsHash: string;
  at: string;
  isStale: boolean;
}
async function lineage(): Promise<Line[]> {
  const query = `query Lineage($id: ID!) { media(id: $id) {
    lineage { outputId kind inputIds engine engineVersion settings settingsHash at isStale } } }`;
  return (await askFor<{ media: { lineage: Line[] } }>(slice.subgraph, viewer, query, { id: mediaId })).media.lineage;
}
const staleKinds = async (): Promise<string[]> => (await lineage()).filter((l) => l.isStale).map(({ kind }) => kind);

interface Reprocessed {
  jobs: { id: string; kind: string; state: string; needs: { id: string }[] }[];
  errors: Problem[];
}
async function reprocess(input: object = {}, by = viewer): Promise<Reprocessed> {
  const query = `mutation Go($input: ReprocessInput!) { reprocess(input: $input) {
    jobs { id kind state needs { id } } errors { code message path } } }`;
  const answer = await askFor<{ reprocess: Reprocessed }>(slice.subgraph, by, query, { input: { mediaId, ...input } });
  return answer.reprocess;
}
const kinds = ({ jobs }: Reprocessed): string[] => jobs.map(({ kind }) => kind);

/** Corrects a segment as `editSegment` does. */
async function correct(): Promise<void> {
  const { prisma } = slice.platform.database;
  await prisma.segment.updateMany({
    where: { transcriptId, position: 0 },
    data: { text: 'Zero.', revision: { increment: 1 } },
  });
  await prisma.transcript.update({ where: { id: transcriptId }, data: { revision: { increment: 1 } } });
}

test('each result says what it was made of, newest first, and nothing is stale at first', async () => {
  const lines = await lineage();
  expect(lines.map(({ isStale }) => isStale)).toEqual([false, false, false, false]);
  expect(lines.at(-1)).toMatchObject({ kind: 'TRANSCRIBE', engine: 'scripted', outputId: transcriptId });
  expect([...lines].sort((one, other) => Date.parse(other.at) - Date.parse(one.at))).toEqual(lines);
  const translation = lines.find(({ kind }) => kind === 'TRANSLATE_TRANSCRIPT');
  const srt = lines.find(({ kind, inputIds }) => kind === 'EXPORT_TRANSCRIPT' && inputIds.length === 2);
  expect([translation!.engine, srt!.engine]).toEqual(['written', 'sauti']);
  expect(srt!.inputIds).toEqual([transcriptId, translation!.outputId]);
  expect(srt!.settings).toMatchObject({ format: 'SRT', revision: 1, options: { translation: 'es', maxLines: 2 } });
  expect(translation).toMatchObject({ inputIds: [transcriptId], settings: { language: 'es', revision: 1 } });
  expect(kinds(await reprocess())).toEqual([]);
});

test('a correction makes the translation and the files stale; they are made anew in order, once', async () => {
  await correct();
  expect((await staleKinds()).sort()).toEqual(['EXPORT_TRANSCRIPT', 'EXPORT_TRANSCRIPT', 'TRANSLATE_TRANSCRIPT']);
  const answer = await reprocess();
  expect(kinds(answer)).toEqual(['TRANSLATE_TRANSCRIPT', 'EXPORT_TRANSCRIPT', 'EXPORT_TRANSCRIPT']);
  const [translation, ...files] = answer.jobs;
  expect(files.map(({ needs }) => needs.map(({ id }) => id))).toEqual(
    expect.arrayContaining([[translation!.id], []]) as unknown,
  );
  await allEnded();
  expect(kinds(await reprocess())).toEqual([]);
  const lines = await lineage();
  expect(lines.filter(({ kind }) => kind === 'EXPORT_TRANSCRIPT').map(({ isStale }) => isStale)).toEqual([
    ...[false, false],
    ...[true, true],
  ]);
});

test('only the steps asked for are made anew', async () => {
  await correct();
  expect(kinds(await reprocess({ steps: ['TRANSLATE_TRANSCRIPT'] }))).toEqual(['TRANSLATE_TRANSCRIPT']);
  await allEnded();
  expect(await staleKinds()).toEqual(['EXPORT_TRANSCRIPT', 'EXPORT_TRANSCRIPT']);
});

test('another version of the translation engine makes stale what it has made', async () => {
  translator.version = '2';
  expect(await staleKinds()).toEqual(['TRANSLATE_TRANSCRIPT']);
  expect(kinds(await reprocess())).toEqual(['TRANSLATE_TRANSCRIPT', 'EXPORT_TRANSCRIPT']);
});

test('another version of the speech engine makes everything anew, as one chain', async () => {
  await asIfTranscribed('an earlier one');
  expect(await staleKinds()).toEqual(['TRANSCRIBE']);
  const answer = await reprocess();
  const names = ['TRANSCRIBE', 'TRANSLATE_TRANSCRIPT', 'EXPORT_TRANSCRIPT', 'EXPORT_TRANSCRIPT'];
  expect(kinds(answer)).toEqual(names);
  const [transcription, translation] = answer.jobs.map(({ id }) => id);
  const [, , ...ofFiles] = answer.jobs.map(({ needs }) => needs.map(({ id }) => id));
  expect(answer.jobs[1]!.needs).toEqual([{ id: transcription }]);
  expect(ofFiles).toEqual(expect.arrayContaining([[transcription], [transcription, translation]]) as unknown);
});

test('a rendition by another version of ffmpeg is made anew, also of a recording without a transcript', async () => {
  const { prisma } = slice.platform.database;
  await prisma.transcript.deleteMany({ where: { mediaId } });
  const { fileId } = await prisma.media.findUniqueOrThrow({ where: { id: mediaId } });
  const settings = { preset: 'MP3', clipFromMs: null, clipToMs: 500 };
  const origin = { inputIds: [fileId], engine: 'ffmpeg', engineVersion: 'an earlier one', settings };
  const outputId = newId('rnd');
  await prisma.$transaction((tx) => recordLineage(tx, { outputId, mediaId, kind: 'TRANSCODE' }, origin));
  expect(await staleKinds()).toEqual(['TRANSCODE']);
  const answer = await reprocess();
  expect(kinds(answer)).toEqual(['TRANSCODE']);
  const { payload } = await prisma.job.findUniqueOrThrow({ where: { id: answer.jobs[0]!.id } });
  expect(payload).toMatchObject({
    mediaId,
    fileId,
    preset: 'MP3',
    clipFromMs: null,
    clipToMs: 500,
    subtitlesFrom: null,
  });
});

test('a correction makes a rendition with subtitles stale', async () => {
  const { prisma } = slice.platform.database;
  const { fileId } = await prisma.media.findUniqueOrThrow({ where: { id: mediaId } });
  const ffmpeg = await probeFfmpeg();
  const converter = { engine: 'ffmpeg', engineVersion: ffmpeg.available ? ffmpeg.version : '' };
  const wanted = { preset: 'HLS', clipFromMs: null, clipToMs: null } as const;
  const about = { outputId: newId('rnd'), mediaId, kind: 'TRANSCODE' };
  const origin = renditionOrigin(fileId, { id: transcriptId, revision: 1 }, converter, wanted);
  await prisma.$transaction((tx) => recordLineage(tx, about, origin));
  expect(await staleKinds()).toEqual([]);
  await correct();
  expect(await staleKinds()).toContain('TRANSCODE');
  const answer = await reprocess({ steps: ['TRANSCODE'] });
  const { payload } = await prisma.job.findUniqueOrThrow({ where: { id: answer.jobs[0]!.id } });
  expect(payload).toMatchObject({ preset: 'HLS', subtitlesFrom: transcriptId });
});

test('an engine that cannot work now makes nothing stale', async () => {
  await asIfTranscribed('an earlier one');
  script.probe = { available: false, reason: 'It sleeps.' };
  expect(await staleKinds()).toEqual([]);
});

test('other options of recognition make a transcript anew, the same ones do not', async () => {
  expect(kinds(await reprocess({ options: { language: 'en' }, steps: ['TRANSCRIBE'] }))).toEqual([]);
  expect(kinds(await reprocess({ options: { language: 'en', normalize: true }, steps: ['TRANSCRIBE'] }))).toEqual([
    'TRANSCRIBE',
  ]);
});

test('a repeated call answers the jobs of the first, also when nothing is stale any more', async () => {
  await correct();
  const first = await reprocess({ idempotencyKey: 'k' });
  await allEnded();
  const again = await reprocess({ idempotencyKey: 'k' });
  expect(again.jobs.map(({ id }) => id)).toEqual(first.jobs.map(({ id }) => id));
  const other = await reprocess({ idempotencyKey: 'k', steps: ['TRANSCRIBE'] });
  expect(other.errors.map(({ code }) => code)).toEqual(['IDEMPOTENCY_MISMATCH']);
});

test('a foreign recording is not found, and options without their step are refused', async () => {
  const code = ({ errors }: Reprocessed): string[] => errors.map((e) => `${e.code} ${e.path?.join('.')}`);
  expect(code(await reprocess({}, aViewer()))).toEqual(['NOT_FOUND input.mediaId']);
  expect(code(await reprocess({ mediaId: newId('med') }))).toEqual(['NOT_FOUND input.mediaId']);
  expect(code(await reprocess({ steps: ['EXPORT_TRANSCRIPT'], options: {} }))).toEqual(['INVALID_INPUT input.options']);
});
