import { Engines } from './engines';
import { createLanguageIdentifier } from './language-identifier';
import { TranslationCache } from './translation-cache';
import { Translations } from './translations';
import { WrittenTranslator } from './testing';
import { TranslatorError } from './translator/translator';

const identifier = createLanguageIdentifier();
const { signal } = new AbortController();

function rules(...translators: WrittenTranslator[]): Translations {
  return new Translations(new Engines(translators, new TranslationCache()), identifier);
}

/** The problem a call is refused with. */
async function problemOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason as Error & { problem?: unknown },
  );
  return 'problem' in error ? error.problem : error;
}

describe('translateTexts', () => {
  test('answers in the order of the texts with everything known about each', async () => {
    const [first, second] = await rules(new WrittenTranslator()).translateTexts(
      { texts: ['Hello xyz', 'Bye'], to: 'es', from: 'en-US' },
      signal,
    );
    expect(first).toEqual({
      sourceText: 'Hello xyz',
      text: 'es:Hello xyz',
      sourceLanguage: 'en-US',
      detected: false,
      targetLanguage: 'es',
      engine: 'written',
      origin: 'ENGINE',
      characters: 9,
      unknownWords: ['xyz'],
    });
    expect(second).toMatchObject({ sourceText: 'Bye', text: 'es:Bye' });
  });

  test('asks the engine once for texts it was asked before', async () => {
    const translator = new WrittenTranslator();
    const translations = rules(translator);
    const first = await translations.translateTexts({ texts: ['Hello', 'Hello', 'Bye'], to: 'es', from: 'en' }, signal);
    const second = await translations.translateTexts({ texts: ['Bye', 'New'], to: 'es', from: 'en' }, signal);
    expect(translator.requests.map(({ texts }) => texts)).toEqual([['Hello', 'Bye'], ['New']]);
    expect([...first, ...second].map(({ origin }) => origin)).toEqual([
      'ENGINE',
      'ENGINE',
      'ENGINE',
      'CACHE',
      'ENGINE',
    ]);
    expect(second[0]!.text).toBe('es:Bye');
  });

  test('does not confuse directions in the cache', async () => {
    const translations = rules(new WrittenTranslator());
    await translations.translateTexts({ texts: ['No'], to: 'es', from: 'en' }, signal);
    expect(await translations.translateTexts({ texts: ['No'], to: 'en', from: 'es' }, signal)).toMatchObject([
      { text: 'en:No', origin: 'ENGINE' },
    ]);
  });

  test('falls back from a region to its language, and says so', async () => {
    const translations = rules(new WrittenTranslator([['en', 'pt']]));
    expect(await translations.translateTexts({ texts: ['Hello'], to: 'pt-BR', from: 'en-GB' }, signal)).toMatchObject([
      { text: 'pt:Hello', targetLanguage: 'pt' },
    ]);
  });

  test('leaves a text alone that is in the target language already', async () => {
    const translator = new WrittenTranslator();
    const [answer] = await rules(translator).translateTexts({ texts: ['Hello'], to: 'en-GB', from: 'en' }, signal);
    expect(answer).toMatchObject({ text: 'Hello', engine: null, origin: 'UNCHANGED', targetLanguage: 'en-GB' });
    expect(translator.requests).toEqual([]);
  });

  test('detects the language of each text among those that reach the target', async () => {
    const translator = new WrittenTranslator([
      ['en', 'es'],
      ['fr', 'es'],
    ]);
    const texts = [
      'Clean water is important for every village.',
      "L'eau propre est importante.",
      'El agua limpia es importante.',
      '12:30 👍',
      'OK',
    ];
    const answers = await rules(translator).translateTexts({ texts, to: 'es' }, signal);
    expect(answers.map(({ sourceLanguage, origin, detected }) => [sourceLanguage, origin, detected])).toEqual([
      ['en', 'ENGINE', true],
      ['fr', 'ENGINE', true],
      ['es', 'UNCHANGED', true],
      ['und', 'UNCHANGED', true],
      [expect.stringMatching(/^(en|fr|es)$/), expect.any(String), true],
    ]);
    expect(answers[3]!.text).toBe('12:30 👍');
  });

  test('refuses a text that is clearly in a language it cannot translate', async () => {
    const texts = ['Clean water is important.', 'Tunahitaji walimu zaidi na vitabu zaidi kwa watoto.'];
    expect(await problemOf(rules(new WrittenTranslator()).translateTexts({ texts, to: 'es' }, signal))).toEqual({
      code: 'LANGUAGE_PAIR_UNSUPPORTED',
      message: 'This text seems to be in Swahili (sw), which can be translated only from: en, es.',
      path: ['input', 'texts', '1'],
    });
  });

  test('asks for the language where it cannot be detected', async () => {
    expect(
      await problemOf(rules(new WrittenTranslator()).translateTexts({ texts: ['OK'], to: 'es' }, signal)),
    ).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', 'texts', '0'],
    });
  });

  test.each([
    ['no text', [], ['input', 'texts']],
    ['101 texts', Array.from({ length: 101 }, () => 'a'), ['input', 'texts']],
    ['a text of 10,001 characters', ['a', 'a'.repeat(10_001)], ['input', 'texts', '1']],
    ['50,001 characters together', [...Array.from({ length: 5 }, () => 'a'.repeat(10_000)), 'a'], ['input', 'texts']],
  ])('refuses %s', async (_what, texts, path) => {
    const translator = new WrittenTranslator();
    expect(await problemOf(rules(translator).translateTexts({ texts, to: 'es', from: 'en' }, signal))).toMatchObject({
      code: 'INVALID_INPUT',
      path,
    });
    expect(translator.requests).toEqual([]);
  });

  test('takes 100 texts and 50,000 characters', async () => {
    const texts = [
      ...Array.from({ length: 4 }, () => 'a'.repeat(10_000)),
      'b'.repeat(9_905),
      ...Array.from({ length: 95 }, () => 'c'),
    ];
    expect(await rules(new WrittenTranslator()).translateTexts({ texts, to: 'es', from: 'en' }, signal)).toHaveLength(
      100,
    );
  });

  test('names the languages that are possible instead of an unsupported one', async () => {
    const translations = rules(
      new WrittenTranslator([
        ['en', 'es'],
        ['en', 'ca'],
      ]),
    );
    expect(await problemOf(translations.translateTexts({ texts: ['Hello'], to: 'sw', from: 'en' }, signal))).toEqual({
      code: 'LANGUAGE_PAIR_UNSUPPORTED',
      message:
        'No engine here translates from English (en) to Swahili (sw). From English (en) it is possible to: Catalan (ca), Spanish (es).',
      path: ['input', 'to'],
    });
    expect(
      await problemOf(translations.translateTexts({ texts: ['Habari'], to: 'es', from: 'sw' }, signal)),
    ).toMatchObject({
      message:
        'No engine here translates from Swahili (sw) to Spanish (es). Translation is possible from: English (en).',
    });
  });

  test('passes on why no engine is available', async () => {
    const translator = new WrittenTranslator();
    translator.state = { available: false, reason: 'Run: apt-get install it' };
    expect(
      await problemOf(rules(translator).translateTexts({ texts: ['Hello'], to: 'es', from: 'en' }, signal)),
    ).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: 'Run: apt-get install it',
    });
  });

  test('tells when to try again after an engine failed', async () => {
    const translator = new WrittenTranslator();
    translator.failure = new TranslatorError('BUSY', 'too much waiting');
    const translations = rules(translator);
    expect(await problemOf(translations.translateTexts({ texts: ['Hello'], to: 'es', from: 'en' }, signal))).toEqual({
      code: 'ENGINE_UNAVAILABLE',
      message: 'too much waiting',
      retryAfterMs: 2_000,
    });
    translator.failure = null;
    expect(await translations.translateTexts({ texts: ['Hello'], to: 'es', from: 'en' }, signal)).toMatchObject([
      { text: 'es:Hello' },
    ]);
  });

  test('finds a pair that was installed after the start', async () => {
    const translator = new WrittenTranslator([]);
    const translations = rules(translator);
    translator.routes = [['en', 'es']];
    expect(await translations.translateTexts({ texts: ['Hello'], to: 'es', from: 'en' }, signal)).toMatchObject([
      { text: 'es:Hello' },
    ]);
  });

  test('uses the first engine that translates the pair', async () => {
    const [first, second] = [new WrittenTranslator([['en', 'fr']]), new WrittenTranslator()];
    await rules(first, second).translateTexts({ texts: ['Hello'], to: 'es', from: 'en' }, signal);
    expect([first.requests.length, second.requests.length]).toEqual([0, 1]);
  });
});

describe('detectLanguage', () => {
  const translations = rules(new WrittenTranslator());

  test('refuses a text or a list of candidates over the limit', async () => {
    await expect(translations.detectLanguage('a'.repeat(10_001), null)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await expect(
      translations.detectLanguage(
        'Hello',
        Array.from({ length: 101 }, () => 'en'),
      ),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('considers the candidates', async () => {
    expect(await translations.detectLanguage('Buenos días a todos', ['en', 'es'])).toMatchObject([
      { language: 'es' },
      { language: 'en' },
    ]);
  });
});

test('the cache forgets what was used longest ago', () => {
  const cache = new TranslationCache(100);
  const key = (text: string) => ({ engine: 'e', source: 'en', target: 'es', text });
  for (const text of ['a', 'b', 'c']) cache.set(key(text.repeat(15)), { text: text.repeat(15), unknownWords: [] });
  expect(cache.get(key('a'.repeat(15)))).toBeUndefined();
  expect(cache.get(key('c'.repeat(15)))).toEqual({ text: 'c'.repeat(15), unknownWords: [] });
});
