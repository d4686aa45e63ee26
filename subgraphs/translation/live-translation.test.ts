import { Lifecycle } from '../../platform/lifecycle';
import { silentLogger } from '../../platform/logger';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { ask } from '../../platform/testing/calls';
import { describeWhenInstalled } from '../../platform/testing/installed';
import { waitFor } from '../../platform/testing/wait';
import { createTranslationSubgraph } from './subgraph';
import { apertiumMissing, WrittenTranslator } from './testing';
import { TranslatorError } from './translator/translator';

const SEGMENT = `query ($segments: [_Any!]!, $to: LanguageTag!) { _entities(representations: $segments) {
  ... on TranscriptSegment { translation(to: $to) { text language provisional sourceWords engine } } } }`;
const SENTENCE = 'we need to talk about the water of this village before the rain comes again'.split(' ');
const LANGUAGES = ['es', 'fr', 'pt', 'ca', 'it', 'gl', 'oc', 'eo', 'de', 'nl'];

interface Answer {
  translation: { text: string; provisional: boolean; sourceWords: number } | null;
  code: string | undefined;
}

let translator: WrittenTranslator;
let subgraph: Subgraph;
let nowMs: number;
beforeEach(() => {
  nowMs = 1_000;
  translator = new WrittenTranslator(LANGUAGES.map((language) => ['en', language]));
  subgraph = createTranslationSubgraph(
    { logger: silentLogger },
    new Lifecycle(silentLogger),
    [translator],
    () => nowMs,
  );
});

const partial = (words: readonly string[], stableWords: number, id = 'seg_1') => ({
  ...final(words.join(' '), id),
  state: 'PARTIAL',
  stableWords,
});
const final = (text: string, id = 'seg_1') => ({
  __typename: 'TranscriptSegment',
  id,
  text,
  language: 'en',
  state: 'FINAL',
  stableWords: text.split(' ').length,
});

async function translate(segment: object, to = 'es', signal?: AbortSignal, of = subgraph): Promise<Answer> {
  const [answer] = await translateAll([segment], to, signal, of);
  return answer!;
}

async function translateAll(segments: object[], to = 'es', signal?: AbortSignal, of = subgraph): Promise<Answer[]> {
  const { data, errors } = await ask(of, null, SEGMENT, { segments, to }, signal);
  const entities = data!._entities as { translation: Answer['translation'] }[];
  return entities.map(({ translation }, index) => ({
    translation,
    code: errors?.find(({ path }) => path?.[1] === index)?.extensions?.['code'] as string | undefined,
  }));
}

/** Holds the engine's calls until it is released. */
function held(): () => void {
  let release = (): void => {};
  translator.hold = new Promise((resolve) => (release = resolve));
  return () => {
    translator.hold = null;
    release();
  };
}

describe('a segment that is being spoken', () => {
  test('costs at most one call in 400 ms, though it is told ten times a second', async () => {
    const answers: Answer['translation'][] = [];
    for (let event = 0; event < 50; event++, nowMs += 100) {
      const stable = Math.min(SENTENCE.length, Math.floor(event / 3));
      const { translation } = await translate(partial(SENTENCE.slice(0, stable + 2), stable));
      expect(translation!.text).toBe(stable ? `es:${SENTENCE.slice(0, translation!.sourceWords).join(' ')}` : '');
      expect(translation!.sourceWords).toBeLessThanOrEqual(stable);
      expect(translation!.sourceWords).toBeGreaterThanOrEqual(stable - 2);
      answers.push(translation);
    }
    expect(answers.every((translation) => translation!.provisional)).toBe(true);
    expect(translator.requests.length).toBeGreaterThan(8);
    expect(translator.requests.length).toBeLessThanOrEqual(12);
    const whole = `${SENTENCE.join(' ')} tomorrow`;
    expect((await translate(final(whole))).translation).toMatchObject({
      text: `es:${whole}`,
      provisional: false,
      sourceWords: SENTENCE.length + 1,
    });
  });

  test('is answered with what is known while the engine is at work, and it is asked for one thing at a time', async () => {
    await translate(partial(SENTENCE, 3));
    const release = held();
    for (const stable of [5, 6, 7]) {
      nowMs += 500;
      expect((await translate(partial(SENTENCE, stable))).translation).toMatchObject({
        text: 'es:we need to',
        sourceWords: 3,
      });
    }
    expect(translator.requests.map(({ texts }) => texts)).toEqual([['we need to'], ['we need to talk about']]);
    release();
    await waitFor('what was translated behind', async () => {
      return (await translate(partial(SENTENCE, 5))).translation!.sourceWords === 5;
    });
  });

  test('makes those wait for one call who ask before anything is known, each as long as it wants', async () => {
    const release = held();
    const leaving = new AbortController();
    const answers = [
      translate(partial(SENTENCE, 3), 'es', leaving.signal),
      translate(partial(SENTENCE, 4)),
      translate(partial(SENTENCE, 3)),
    ];
    await waitFor('the call', () => translator.requests.length === 1);
    leaving.abort(new Error('gone'));
    expect((await answers[0]!).translation).toBeNull();
    release();
    expect((await Promise.all(answers.slice(1))).map(({ translation }) => translation!.text)).toEqual([
      'es:we need to',
      'es:we need to',
    ]);
    expect(translator.requests).toHaveLength(1);
  });

  test('has an empty translation while no word is stable', async () => {
    expect((await translate(partial(SENTENCE, 0), 'pt-BR')).translation).toEqual({
      text: '',
      language: 'pt',
      provisional: true,
      sourceWords: 0,
      engine: null,
    });
    expect(translator.requests).toEqual([]);
  });

  test('is told in its own language as far as it is stable, without an engine', async () => {
    for (const stable of [2, 3]) {
      expect((await translate(partial(SENTENCE, stable), 'en-GB')).translation).toMatchObject({
        text: SENTENCE.slice(0, stable).join(' '),
        sourceWords: stable,
        engine: null,
      });
    }
    expect(translator.requests).toEqual([]);
  });

  test('in an unsupported language is refused at once', async () => {
    for (const stable of [0, 1, 4]) {
      expect(await translate(partial(SENTENCE, stable), 'sw')).toEqual({
        translation: null,
        code: 'LANGUAGE_PAIR_UNSUPPORTED',
      });
    }
    expect(translator.requests).toEqual([]);
  });

  test('keeps what is known when the engine fails, and asks again only when that may help', async () => {
    await translate(partial(SENTENCE, 3));
    translator.failure = new TranslatorError('BUSY', 'too much waiting');
    for (const stable of [4, 5, 6]) {
      nowMs += 500;
      expect((await translate(partial(SENTENCE, stable))).translation!.sourceWords).toBe(3);
    }
    expect(translator.requests).toHaveLength(2);
    translator.failure = null;
    nowMs += 2_000;
    await translate(partial(SENTENCE, 6));
    expect((await translate(partial(SENTENCE, 6))).translation!.sourceWords).toBe(6);
  });

  test('whose first call fails says so until the engine is asked again', async () => {
    translator.failure = new TranslatorError('BUSY', 'too much waiting');
    for (const stable of [1, 2, 3]) {
      expect((await translate(partial(SENTENCE, stable))).code).toBe('ENGINE_UNAVAILABLE');
      nowMs += 500;
    }
    expect(translator.requests).toHaveLength(1);
    translator.failure = null;
    nowMs += 500;
    expect((await translate(partial(SENTENCE, 3))).translation!.text).toBe('es:we need to');
  });

  test('begins anew when its beginning is heard differently after all', async () => {
    await translate(partial(SENTENCE, 3));
    expect((await translate(partial(['he', 'needs', 'water'], 2))).translation!.text).toBe('es:he needs');
  });

  test('in an earlier event is told as far as it is known, for a minute', async () => {
    await translate(partial(SENTENCE, 5));
    nowMs += 50_000;
    expect((await translate(partial(SENTENCE, 3))).translation!.sourceWords).toBe(5);
    nowMs += 61_000;
    expect((await translate(partial(SENTENCE, 3))).translation!.sourceWords).toBe(3);
  });

  test('has a translation of its own in each language', async () => {
    await Promise.all(LANGUAGES.map((to) => translate(partial(SENTENCE, 2), to)));
    await Promise.all(LANGUAGES.map((to) => translate(partial(SENTENCE, 2, 'seg_2'), to)));
    expect(translator.requests.map(({ target }) => target)).toEqual(LANGUAGES); // the second one says the same
    expect((await translate(partial(SENTENCE, 2), 'fr')).translation!.text).toBe('fr:we need');
  });
});

describe('a final segment', () => {
  test('costs one call for each language when 200 ask at the same moment', async () => {
    const release = held();
    const askers = Array.from({ length: 200 }, (_, index) =>
      translate(final('Hello everybody'), LANGUAGES[index % 10]),
    );
    await waitFor('the calls', () => translator.requests.length === 10);
    release();
    const answers = await Promise.all(askers);
    answers.forEach(({ translation }, index) =>
      expect(translation!.text).toBe(`${LANGUAGES[index % 10]}:Hello everybody`),
    );
    expect(translator.requests).toHaveLength(10);
    await translate(final('Hello everybody'));
    expect(translator.requests).toHaveLength(10);
  });

  test('is translated for the others when one asker leaves, and no longer when all have', async () => {
    const release = held();
    const leaving = [new AbortController(), new AbortController()];
    const [first, second] = leaving.map(({ signal }) => translate(final('Hello'), 'es', signal));
    await waitFor('the call', () => translator.requests.length === 1);
    leaving[0]!.abort(new Error('gone'));
    expect((await first!).translation).toBeNull();
    expect(translator.requests[0]!.signal!.aborted).toBe(false);
    leaving[1]!.abort(new Error('gone'));
    expect((await second!).translation).toBeNull();
    expect(translator.requests[0]!.signal!.aborted).toBe(true);
    const third = translate(final('Hello'));
    await waitFor('another call', () => translator.requests.length === 2);
    release();
    expect((await third).translation!.text).toBe('es:Hello');
  });

  test('is asked for once more when it failed together with a text of somebody else', async () => {
    translator.unable = 'Poison';
    const release = held();
    const both = translateAll([final('Hello'), final('Poison', 'seg_2')]);
    await waitFor('the call', () => translator.requests.length === 1);
    const one = translateAll([final('Hello')]);
    const more = translateAll([final('Hello'), final('Bye', 'seg_3')]);
    await waitFor('the call for the rest', () => translator.requests.length === 2);
    release();
    expect((await both).map(({ code }) => code)).toEqual(['ENGINE_UNAVAILABLE', 'ENGINE_UNAVAILABLE']);
    expect((await one)[0]!.translation!.text).toBe('es:Hello');
    expect((await more).map(({ translation }) => translation!.text)).toEqual(['es:Hello', 'es:Bye']);
    expect(translator.requests.map(({ texts }) => texts)).toEqual([['Hello', 'Poison'], ['Bye'], ['Hello']]);
  });

  test('of no words is empty', async () => {
    expect((await translate(final(''))).translation).toMatchObject({ sourceWords: 0, provisional: false });
  });
});

describeWhenInstalled(apertiumMissing, 'with Apertium', () => {
  test('a sentence is translated as it grows, and exactly when it is final', async () => {
    const lifecycle = new Lifecycle(silentLogger);
    const real = createTranslationSubgraph({ logger: silentLogger }, lifecycle, undefined, () => nowMs);
    try {
      const words = 'the water is clean and the dog is in the house'.split(' ');
      const first = await translate(partial(words, 4), 'es', undefined, real);
      expect(first.translation).toMatchObject({ text: 'el agua es limpia', sourceWords: 4, provisional: true });
      nowMs += 400;
      await translate(partial(words, 9), 'es', undefined, real);
      await waitFor('what was translated behind', async () => {
        return (await translate(partial(words, 9), 'es', undefined, real)).translation!.sourceWords === 9;
      });
      const last = await translate(final('The water is clean and the dog is in the house.'), 'es', undefined, real);
      expect(last.translation).toMatchObject({
        text: 'El agua es limpia y el perro es en la casa.',
        provisional: false,
        sourceWords: 11,
      });
    } finally {
      await lifecycle.stop();
    }
  });
});
