import { aViewer, anUpload, askFor } from '../../platform/testing/calls';
import { aCompleteTranscript, aScript, aWav, createMedia, openMediaSlice, scripted, type MediaSlice } from './testing';

const viewer = aViewer();
let slice: MediaSlice;
beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()));
});
afterAll(() => slice[Symbol.asyncDispose]());

test('the library finds recordings by the language of a complete transcript, regions included', async () => {
  const { prisma } = slice.platform.database;
  const inLanguage = async (language: string, state: 'COMPLETE' | 'FAILED' = 'COMPLETE'): Promise<string> => {
    const { mediaId, transcriptId } = await aCompleteTranscript(slice, viewer, ['One.']);
    await prisma.transcript.update({ where: { id: transcriptId }, data: { language, state } });
    return mediaId;
  };
  const [american, english, spanish] = [await inLanguage('en-US'), await inLanguage('en'), await inLanguage('es')];
  await inLanguage('en', 'FAILED');
  await inLanguage('enm');
  const find = async (filter: object): Promise<string[]> => {
    const query = 'query Find($filter: MediaFilter) { library(filter: $filter) { nodes { id } } }';
    const { library } = await askFor<{ library: { nodes: { id: string }[] } }>(slice.subgraph, viewer, query, {
      filter,
    });
    return library.nodes.map(({ id }) => id).sort();
  };
  expect(await find({ language: 'en' })).toEqual([american, english].sort());
  expect(await find({ language: 'EN-us' })).toEqual([american]);
  expect(await find({ language: 'es', hasTranscript: true })).toEqual([spanish]);
  expect(await find({ language: 'es', hasTranscript: false })).toEqual([]);
});

test('artist and album are kept as given, and have a limit', async () => {
  const input = { upload: anUpload(aWav(0.1), 'a.wav'), artist: ' Siti  ', album: 'Taarab' };
  const { media } = await createMedia(slice, viewer, input);
  const query = 'query Read($id: ID!) { media(id: $id) { artist album } }';
  expect(await askFor(slice.subgraph, viewer, query, { id: media!.id })).toEqual({
    media: { artist: 'Siti', album: 'Taarab' },
  });
  const { errors } = await createMedia(slice, viewer, {
    ...input,
    upload: anUpload(aWav(0.1)),
    artist: 'x'.repeat(201),
  });
  expect(errors.map(({ code, path }) => `${code} ${path?.join('.')}`)).toEqual(['INVALID_INPUT input.artist']);
});
