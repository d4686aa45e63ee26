import { aViewer, askFor } from '../../../platform/testing/calls';
import { describeWhenInstalled } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import { apertiumMissing } from '../../translation/testing';
import { createTextTranslator } from '../../translation/text-translator';
import { createTranslators } from '../../translation/translators';
import { aCompleteTranscript, aScript, openMediaSlice, scripted, type MediaSlice } from '../testing';

const viewer = aViewer();

// The two slices meet here as they do where a process is put together.
describeWhenInstalled(apertiumMissing, 'a transcript and Apertium', () => {
  const translators = createTranslators();
  let slice: MediaSlice;
  beforeAll(async () => {
    slice = await openMediaSlice(scripted(aScript()), { translator: createTextTranslator(translators) });
  });
  afterAll(async () => {
    await slice[Symbol.asyncDispose]();
    await Promise.all(translators.map((translator) => translator[Symbol.asyncDispose]()));
  });

  const translate = async (transcriptId: string, to: string[]) => {
    const query = `mutation Go($input: TranslateTranscriptInput!) { translateTranscript(input: $input) {
      jobs { id } errors { code message path } } }`;
    interface Answer {
      translateTranscript: { jobs: { id: string }[]; errors: { code: string; message: string }[] };
    }
    const variables = { input: { transcriptId, to } };
    return (await askFor<Answer>(slice.subgraph, viewer, query, variables)).translateTranscript;
  };

  test('make a translation in which a sentence across two segments is translated as a whole', async () => {
    const said = ['The train leaves at nine', 'in the morning.', 'We have two houses.'];
    const { transcriptId, mediaId } = await aCompleteTranscript(slice, viewer, said);
    slice.startWorker();
    expect((await translate(transcriptId, ['es'])).errors).toEqual([]);
    const query = `query Read($id: ID!) { transcript(id: $id) { translations { engine staleSegments text } } }`;
    interface Read {
      transcript: { translations: { engine: string | null; staleSegments: number; text: string }[] };
    }
    const [translation] = await waitFor('the translation', async () => {
      const { transcript } = await askFor<Read>(slice.subgraph, viewer, query, { id: transcriptId });
      return transcript.translations[0]?.engine ? transcript.translations : null;
    });
    expect(translation).toMatchObject({ engine: 'apertium', staleSegments: 0 });
    const lines = translation!.text.split('\n');
    expect(lines).toHaveLength(3);
    expect(`${lines[0]} ${lines[1]}`).toMatch(/tren.*nueve.*mañana\.$/);
    expect(lines[2]).toBe('Tenemos dos casas.');
    const { media } = await askFor<{ media: { lineage: { engineVersion: string; isStale: boolean }[] } }>(
      slice.subgraph,
      viewer,
      'query Lineage($id: ID!) { media(id: $id) { lineage { engineVersion isStale } } }',
      { id: mediaId },
    );
    expect(media.lineage).toEqual([{ engineVersion: expect.stringMatching(/^[0-9a-f]{12}$/), isStale: false }]);
  });

  test('refuse a pair that is not installed, and say which are', async () => {
    const { transcriptId } = await aCompleteTranscript(slice, viewer, ['One.']);
    const { jobs, errors } = await translate(transcriptId, ['fj']);
    expect(jobs).toEqual([]);
    expect(errors).toMatchObject([{ code: 'LANGUAGE_PAIR_UNSUPPORTED', message: expect.stringContaining('Spanish') }]);
  });
});
