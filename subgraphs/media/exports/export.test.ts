import { newId } from '../../../platform/ids';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import { aScript, heard, openMediaSlice, scripted, type MediaSlice } from '../testing';
import { aTranscript, type Given } from '../testing-transcripts';

const viewer = aViewer();
const EXPORT = `query Export($id: ID!, $format: TranscriptFormat!, $options: ExportOptions) {
  transcript(id: $id) { export(format: $format, options: $options) { mimeType text warnings } } }`;

let slice: MediaSlice;
let given: Given;

beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()));
  given = await aTranscript(slice, viewer, [
    { ...heard(0, 0, 'Good morning to all of you.'), speakerKey: 'Speaker 1' },
    { ...heard(1, 2_000, 'Where were we?'), speakerKey: 'Speaker 2' },
  ]);
});
afterAll(() => slice[Symbol.asyncDispose]());

async function exported(format: string, options: object | null = null) {
  interface Read {
    transcript: { export: { mimeType: string; text: string; warnings: string[] } };
  }
  const variables = { id: given.transcriptId, format, options };
  return (await askFor<Read>(slice.subgraph, viewer, EXPORT, variables)).transcript.export;
}

test('options reach the rendering, and null is the default', async () => {
  const lines = { maxLineLength: 10, maxLines: 4, maxCharactersPerSecond: 50 };
  expect((await exported('SRT', lines)).text).toBe(
    '1\n00:00:00,000 --> 00:00:01,200\nGood\nmorning\nto all\nof you.\n\n2\n00:00:02,000 --> 00:00:03,000\nWhere\nwere we?\n',
  );
  expect(await exported('SRT', { maxLines: null, speakers: null })).toEqual(await exported('SRT'));
  const { text } = await exported('VTT', { speakers: true, words: true });
  expect(text).toContain('<v Speaker 2>Where <00:00:02.200>were <00:00:02.400>we?\n');
  expect((await exported('CSV', { words: true })).text.split('\r\n')).toHaveLength(1 + 9 + 1);
});

test('a translation is rendered as far as there is one', async () => {
  const { prisma } = slice.platform.database;
  const id = newId('ttr');
  const translation = { id, transcriptId: given.transcriptId, jobId: newId('job'), language: 'fr' };
  await prisma.transcriptTranslation.create({ data: translation });
  const texts = ['Bonjour à tous.', 'Où étions-nous ?'];
  await prisma.segmentTranslation.createMany({
    data: texts.map((text, index) => ({
      translationId: id,
      segmentId: given.segmentIds[index]!,
      segmentRevision: 1 - index,
      text,
    })),
  });
  expect(await exported('TXT', { translation: 'FR', bilingual: true })).toEqual({
    mimeType: 'text/plain',
    text: 'Good morning to all of you.\nBonjour à tous.\n\nWhere were we?\nOù étions-nous ?\n',
    warnings: ['1 segment has been corrected since the translation; translate the transcript again.'],
  });
});

test.each<[string, object, string, RegExp]>([
  ['lines of 9 characters', { maxLineLength: 9 }, 'BAD_USER_INPUT', /between 10 and 200; it was 9/],
  ['lines of 201 characters', { maxLineLength: 201 }, 'BAD_USER_INPUT', /it was 201/],
  ['no line', { maxLines: 0 }, 'BAD_USER_INPUT', /"maxLines"/],
  ['5 lines', { maxLines: 5 }, 'BAD_USER_INPUT', /"maxLines"/],
  ['51 characters a second', { maxCharactersPerSecond: 51 }, 'BAD_USER_INPUT', /"maxCharactersPerSecond"/],
  ['two languages of one', { bilingual: true }, 'BAD_USER_INPUT', /needs "translation"/],
  ['a translation that is not there', { translation: 'sw' }, 'NOT_FOUND', /no translation into "sw"/],
])('%s are refused', async (_what, options, code, message) => {
  const variables = { id: given.transcriptId, format: 'SRT', options };
  const { errors } = await ask(slice.subgraph, viewer, EXPORT, variables);
  expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching(message) as string })]);
  expect(errors![0]!.extensions).toMatchObject({ code });
});
