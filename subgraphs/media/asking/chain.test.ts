import { FINAL_STATES, type Job } from '../../../platform/jobs/job';
import { aViewer, anUpload, askFor } from '../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import {
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

const viewer = aViewer();
let slice: MediaSlice;

beforeAll(async () => {
  const translator = writtenTranslator('es', 'ca');
  const script = aScript(heard(0, 500, 'One two three.'), heard(1, 3_000, 'Four five.'));
  slice = await openMediaSlice(scripted(script), { translator });
});
afterAll(() => slice[Symbol.asyncDispose]());

interface ShownJob {
  id: string;
  kind: string;
  state: string;
  priority: string;
  needs: { id: string }[];
  result: { __typename: string; id: string } | null;
}
const JOB = `id kind state priority needs { id } result { __typename ... on Transcript { id }
  ... on TranscriptTranslation { id language text staleSegments engine } ... on File { id } }`;

async function aRecording(title = 'My talk'): Promise<string> {
  const { media } = await createMedia(slice, viewer, { upload: anUpload(aWav(10), 'talk.wav'), title });
  return media!.id;
}

async function transcribe(input: object): Promise<{ job: ShownJob | null; errors: Problem[] }> {
  const query = `mutation Go($input: TranscribeInput!) { transcribe(input: $input) { job { ${JOB} } errors { code message path } } }`;
  return (
    await askFor<{ transcribe: Awaited<ReturnType<typeof transcribe>> }>(slice.subgraph, viewer, query, { input })
  ).transcribe;
}

async function jobsOf(mediaId: string): Promise<ShownJob[]> {
  const query = `query Jobs($id: ID!) { media(id: $id) { jobs { nodes { ${JOB} } } } }`;
  const { media } = await askFor<{ media: { jobs: { nodes: ShownJob[] } } }>(slice.subgraph, viewer, query, {
    id: mediaId,
  });
  return media.jobs.nodes.reverse();
}

const allEnded = (mediaId: string): Promise<Job[]> =>
  waitFor('all jobs to end', async () => {
    const jobs = await slice.platform.database.prisma.job.findMany({ where: { subjectId: mediaId } });
    return jobs.every(({ state }) => FINAL_STATES.includes(state)) ? jobs : null;
  });

async function textOfFile(id: string): Promise<string> {
  let text = '';
  for await (const chunk of await slice.platform.objects.read(id)) text += String(chunk);
  return text;
}

test('one call makes the transcription, its translations and its files, each waiting for what it needs', async () => {
  const mediaId = await aRecording();
  const { job, errors } = await transcribe({
    mediaId,
    priority: 'HIGH',
    translateTo: ['es', 'ca', 'es'],
    exports: [{ format: 'TXT' }, { format: 'VTT', options: { translation: 'ca', bilingual: true } }],
  });
  expect(errors).toEqual([]);
  const jobs = await jobsOf(mediaId);
  expect(jobs.map(({ kind, state, priority }) => `${kind} ${state} ${priority}`)).toEqual([
    'TRANSCRIBE QUEUED HIGH',
    'TRANSLATE_TRANSCRIPT WAITING HIGH',
    'TRANSLATE_TRANSCRIPT WAITING HIGH',
    'EXPORT_TRANSCRIPT WAITING HIGH',
    'EXPORT_TRANSCRIPT WAITING HIGH',
  ]);
  const [transcribing, , ca] = jobs;
  expect(job!.id).toBe(transcribing!.id);
  expect(jobs.map(({ needs }) => needs.map(({ id }) => id))).toEqual([
    [],
    [transcribing!.id],
    [transcribing!.id],
    [transcribing!.id],
    [transcribing!.id, ca!.id],
  ]);
  expect(jobs.map(({ result }) => result?.__typename)).toEqual([
    'Transcript',
    'TranscriptTranslation',
    'TranscriptTranslation',
    undefined,
    undefined,
  ]);
});

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a chain', () => {
  test('ends with a text, its translations, and files that show both', async () => {
    const mediaId = await aRecording('  A/B: my "talk"…  ');
    await transcribe({
      mediaId,
      translateTo: ['es'],
      exports: [{ format: 'TXT' }, { format: 'TXT', options: { translation: 'es' } }],
    });
    slice.startWorker();
    await allEnded(mediaId);
    const [transcription, translation, plain, spanish] = await jobsOf(mediaId);
    expect(transcription).toMatchObject({ state: 'SUCCEEDED' });
    expect(translation).toMatchObject({
      state: 'SUCCEEDED',
      result: { language: 'es', engine: 'written', staleSegments: 0, text: 'es:One two three.\nes:Four five.' },
    });
    expect(await textOfFile(plain!.result!.id)).toBe('One two three.\nFour five.\n');
    expect(await textOfFile(spanish!.result!.id)).toBe('es:One two three.\nes:Four five.\n');
    const fileIds = [plain!, spanish!].map(({ result }) => result!.id);
    const files = await slice.platform.database.prisma.storedObject.findMany({
      where: { id: { in: fileIds } },
      orderBy: { name: 'asc' },
    });
    expect(files.map(({ name, mimeType, ownerId }) => [name, mimeType, ownerId])).toEqual([
      ['A B my talk ….es.txt', 'text/plain', viewer.userId],
      ['A B my talk ….txt', 'text/plain', viewer.userId],
    ]);
  });
});

test.each([
  ['a language nobody translates into', { translateTo: ['es', 'sw'] }, 'LANGUAGE_PAIR_UNSUPPORTED input.translateTo.1'],
  ['the language that is spoken', { translateTo: ['en-GB'] }, 'INVALID_INPUT input.translateTo.0'],
  [
    'more languages than ten',
    { translateTo: [...'abcdefghijk'].map((c) => `a${c}`) },
    'INVALID_INPUT input.translateTo',
  ],
  [
    'a file in a language it is not translated into',
    { translateTo: ['es'], exports: [{ format: 'TXT' }, { format: 'SRT', options: { translation: 'ca' } }] },
    'INVALID_INPUT input.exports.1.options.translation',
  ],
  [
    'subtitles of impossible layout',
    { exports: [{ format: 'SRT', options: { maxLineLength: 5 } }] },
    'INVALID_INPUT input.exports.0.options.maxLineLength',
  ],
  ['more files than ten', { exports: Array(11).fill({ format: 'TXT' }) }, 'INVALID_INPUT input.exports'],
])('%s is refused, and nothing is begun', async (_what, wishes, expected) => {
  const mediaId = await aRecording();
  const { job, errors } = await transcribe({ mediaId, ...wishes });
  expect([job, errors.map(({ code, path }) => `${code} ${path!.join('.')}`)]).toEqual([null, [expected]]);
  const { prisma } = slice.platform.database;
  expect(await prisma.job.count({ where: { subjectId: mediaId } })).toBe(0);
  expect(await prisma.transcript.count({ where: { mediaId } })).toBe(0);
});
