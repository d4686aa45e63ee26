import { silentLogger } from '../../platform/logger';
import { Lifecycle } from '../../platform/lifecycle';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { describeWhenInstalled } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import { createTranslationSubgraph } from './subgraph';
import { apertiumMissing, shellsOf, WrittenTranslator } from './testing';

const AMINA = { userId: 'usr_amina', sessionId: 'ses_amina', scopes: [] };

async function ask(
  subgraph: Subgraph,
  query: string,
  variables: Record<string, unknown> = {},
  viewer: typeof AMINA | null = AMINA,
) {
  const options = { identity: { viewer, requestId: 'req_1' }, signal: new AbortController().signal };
  // Through JSON, as a gateway sees it.
  return JSON.parse(JSON.stringify(await subgraph.execute({ query, variables }, options))) as {
    data: Record<string, unknown> | null;
    errors?: { message: string; path: unknown[]; extensions: { code: string } }[];
  };
}

const TRANSLATE = `mutation ($input: TranslateTextInput!) { translateText(input: $input) {
  translations { sourceText text sourceLanguage detected targetLanguage engine origin characters unknownWords }
  errors { code message path retryAfterMs } } }`;
const DETECT =
  'query ($text: String!, $candidates: [LanguageTag!]) { detectLanguage(text: $text, candidates: $candidates) { language confidence } }';
const SEGMENTS = `query ($segments: [_Any!]!, $to: LanguageTag!) { _entities(representations: $segments) {
  ... on TranscriptSegment { id translation(to: $to) { text language provisional engine unknownWords } } } }`;

const segment = (id: string, text: string, language = 'en') => ({
  __typename: 'TranscriptSegment',
  id,
  text,
  language,
  state: 'FINAL',
  stableWords: text.split(' ').length,
});

describe('with a written engine', () => {
  let translator: WrittenTranslator;
  let subgraph: Subgraph;
  beforeEach(() => {
    translator = new WrittenTranslator();
    subgraph = createTranslationSubgraph({ logger: silentLogger }, new Lifecycle(silentLogger), [translator]);
  });

  test('translateText answers with translations or with problems, never with both', async () => {
    const input = { texts: ['Hello'], from: 'EN-us', to: 'es' };
    expect((await ask(subgraph, TRANSLATE, { input })).data).toEqual({
      translateText: {
        translations: [
          {
            sourceText: 'Hello',
            text: 'es:Hello',
            sourceLanguage: 'en-US',
            detected: false,
            targetLanguage: 'es',
            engine: 'written',
            origin: 'ENGINE',
            characters: 5,
            unknownWords: [],
          },
        ],
        errors: [],
      },
    });
    expect((await ask(subgraph, TRANSLATE, { input: { ...input, to: 'sw' } })).data).toMatchObject({
      translateText: {
        translations: [],
        errors: [{ code: 'LANGUAGE_PAIR_UNSUPPORTED', path: ['input', 'to'], retryAfterMs: null }],
      },
    });
  });

  test('texts of any characters are taken', async () => {
    for (const text of ['a\0b, good morning', '\0', 'half \ud800 a character']) {
      const given = { texts: [text], from: 'en', to: 'es' };
      expect((await ask(subgraph, TRANSLATE, { input: given })).data).toMatchObject({ translateText: { errors: [] } });
      expect((await ask(subgraph, DETECT, { text })).errors).toBeUndefined();
    }
  });

  test('translating and detecting need a signed-in viewer', async () => {
    const translated = await ask(subgraph, TRANSLATE, { input: { texts: ['Hello'], to: 'es' } }, null);
    const detected = await ask(subgraph, DETECT, { text: 'Hello everybody' }, null);
    expect([translated, detected].map(({ errors }) => errors![0]!.extensions.code)).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
    ]);
    expect(translator.requests).toEqual([]);
  });

  test('languages and engines are there for everybody', async () => {
    const query =
      '{ languages { tag name endonym rightToLeft targets } translationEngines { id available reason local pairs { source target route } } }';
    expect((await ask(subgraph, query, {}, null)).data).toEqual({
      languages: [
        { tag: 'en', name: 'English', endonym: 'English', rightToLeft: false, targets: ['es'] },
        { tag: 'es', name: 'Spanish', endonym: 'español', rightToLeft: false, targets: ['en'] },
      ],
      translationEngines: [
        {
          id: 'written',
          available: true,
          reason: null,
          local: true,
          pairs: [
            { source: 'en', target: 'es', route: ['en', 'es'] },
            { source: 'es', target: 'en', route: ['es', 'en'] },
          ],
        },
      ],
    });
  });

  test('an engine that is not there is listed with the reason', async () => {
    translator.state = { available: false, reason: 'Run: apt-get install it' };
    expect(
      (await ask(subgraph, '{ languages { tag } translationEngines { available reason pairs { source } } }')).data,
    ).toEqual({
      languages: [],
      translationEngines: [{ available: false, reason: 'Run: apt-get install it', pairs: [] }],
    });
  });

  test('a malformed language tag is refused', async () => {
    const { errors } = await ask(subgraph, DETECT, { text: 'Hello', candidates: ['not a tag'] });
    expect(errors![0]!.extensions.code).toBe('BAD_USER_INPUT');
  });

  test('all segments of a selection that share their languages cost one engine call', async () => {
    const segments = [
      segment('seg_1', 'One'),
      segment('seg_2', 'Dos', 'es'),
      segment('seg_3', 'Three x'),
      segment('seg_4', 'One'),
      { ...segment('seg_5', 'Five'), state: 'EDITED' },
    ];
    expect((await ask(subgraph, SEGMENTS, { segments, to: 'es' })).data).toEqual({
      _entities: [
        {
          id: 'seg_1',
          translation: { text: 'es:One', language: 'es', provisional: false, engine: 'written', unknownWords: [] },
        },
        {
          id: 'seg_2',
          translation: { text: 'Dos', language: 'es', provisional: false, engine: null, unknownWords: [] },
        },
        {
          id: 'seg_3',
          translation: {
            text: 'es:Three x',
            language: 'es',
            provisional: false,
            engine: 'written',
            unknownWords: ['x'],
          },
        },
        {
          id: 'seg_4',
          translation: { text: 'es:One', language: 'es', provisional: false, engine: 'written', unknownWords: [] },
        },
        {
          id: 'seg_5',
          translation: { text: 'es:Five', language: 'es', provisional: false, engine: 'written', unknownWords: [] },
        },
      ],
    });
    expect(translator.requests.map(({ texts }) => texts)).toEqual([['One', 'Three x', 'Five']]);
  });

  test('a segment in an unsupported language has no translation, and the others keep theirs', async () => {
    const { data, errors } = await ask(subgraph, SEGMENTS, {
      segments: [segment('seg_1', 'Habari', 'sw'), segment('seg_2', 'Hello')],
      to: 'es',
    });
    expect(data).toMatchObject({
      _entities: [
        { id: 'seg_1', translation: null },
        { id: 'seg_2', translation: { text: 'es:Hello' } },
      ],
    });
    expect(errors).toMatchObject([
      { path: ['_entities', 0, 'translation'], extensions: { code: 'LANGUAGE_PAIR_UNSUPPORTED' } },
    ]);
  });

  test('without an engine every translation is null with the reason', async () => {
    translator.state = { available: false, reason: 'Run: apt-get install it' };
    const { data, errors } = await ask(subgraph, SEGMENTS, { segments: [segment('seg_1', 'Hello')], to: 'es' });
    expect(data).toMatchObject({ _entities: [{ id: 'seg_1', translation: null }] });
    expect(errors).toMatchObject([{ message: 'Run: apt-get install it', extensions: { code: 'ENGINE_UNAVAILABLE' } }]);
  });
});

describeWhenInstalled(apertiumMissing, 'the subgraph with Apertium', () => {
  test('translates, detects and reads a segment in Spanish; stopping ends the engine', async () => {
    const before = shellsOf(process.pid);
    const lifecycle = new Lifecycle(silentLogger);
    const subgraph = createTranslationSubgraph({ logger: silentLogger }, lifecycle);
    try {
      const translated = await ask(subgraph, TRANSLATE, {
        input: { texts: ['Clean water is important for every village.'], to: 'es' },
      });
      expect(translated.data).toMatchObject({
        translateText: {
          translations: [
            {
              text: 'El agua limpia es importante para cada pueblo.',
              sourceLanguage: 'en',
              detected: true,
              engine: 'apertium',
            },
          ],
          errors: [],
        },
      });
      const detected = await ask(subgraph, DETECT, { text: 'Tunahitaji walimu zaidi na vitabu zaidi.' });
      expect((detected.data!.detectLanguage as { language: string }[])[0]).toMatchObject({ language: 'sw' });
      const segments = await ask(subgraph, SEGMENTS, {
        segments: [segment('seg_1', 'You are currently the only person in this conference.')],
        to: 'es',
      });
      expect(segments.data).toMatchObject({
        _entities: [{ translation: { text: expect.stringContaining('persona') as string } }],
      });
    } finally {
      await lifecycle.stop();
    }
    await waitFor('the engine to end', () => shellsOf(process.pid).length === before.length);
  });
});
