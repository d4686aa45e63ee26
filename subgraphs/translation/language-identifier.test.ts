import { createLanguageIdentifier, loadModels } from './language-identifier';

const identifier = createLanguageIdentifier();

/** Everyday sentences, five or more words each, so that a change of the weights that costs accuracy is seen. */
const SENTENCES: Record<string, string[]> = {
  en: [
    'Clean water is important for every village.',
    'We need more teachers and more books.',
    'The road to the market is closed today.',
  ],
  es: [
    'El agua limpia es importante para cada pueblo.',
    'Necesitamos más maestros y más libros.',
    'La carretera al mercado está cerrada hoy.',
  ],
  fr: [
    "L'eau propre est importante pour chaque village.",
    "Le médecin visitera l'école la semaine prochaine.",
    'Merci beaucoup pour votre aide, mes amis.',
  ],
  de: [
    'Sauberes Wasser ist wichtig für jedes Dorf.',
    'Wir brauchen mehr Lehrer und mehr Bücher.',
    'Die Straße zum Markt ist heute gesperrt.',
  ],
  sw: [
    'Maji safi ni muhimu kwa kila kijiji.',
    'Tunahitaji walimu zaidi na vitabu zaidi.',
    'Barabara ya kwenda sokoni imefungwa leo.',
  ],
  ar: ['المياه النظيفة مهمة لكل قرية.'],
  zh: ['清洁的水对每个村庄都很重要。'],
  el: ['Το καθαρό νερό είναι σημαντικό για κάθε χωριό.'],
};

const cases = Object.entries(SENTENCES).flatMap(([language, sentences]) =>
  sentences.map((sentence) => [language, sentence] as const),
);

test.each(cases)('recognises %s: %s', async (language, sentence) => {
  const guesses = await identifier.identify(sentence);
  expect(guesses[0]).toMatchObject({ language });
  expect(guesses[0]!.confidence).toBeGreaterThan(0.5);
});

test('orders guesses by confidence, which is a share of one', async () => {
  const confidences = (await identifier.identify('Der Weg is closed')).map(({ confidence }) => confidence);
  expect(confidences.length).toBeGreaterThan(1);
  expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
  expect(confidences.reduce((sum, confidence) => sum + confidence, 0)).toBeLessThanOrEqual(1 + 1e-9);
});

test('considers only the candidates and answers with their tags', async () => {
  expect((await identifier.identify('Bonjour mes amis', ['en', 'es-MX']))[0]!.language).toMatch(/^(en|es-MX)$/);
  expect((await identifier.identify('Buenos días amigos', ['en-US', 'es-MX']))[0]!.language).toBe('es-MX');
  expect((await identifier.identify('God morgen alle sammen, hvordan går det', ['no', 'sv']))[0]!.language).toBe('no');
});

test('considers a candidate that is left out otherwise', async () => {
  expect((await identifier.identify('Добро утро на всички приятели', ['bg', 'ru']))[0]!.language).toBe('bg');
});

test('has no guess for what cannot be told', async () => {
  for (const text of ['', '   ', '12345 !!', 'Hi', '👍👍👍']) expect(await identifier.identify(text)).toEqual([]);
  expect(await identifier.identify('Clean water is important.', [])).toEqual([]);
  expect(await identifier.identify('Clean water is important.', ['szl'])).toEqual([]);
  expect(await identifier.identify('Clean water is important.', ['am'])).toEqual([]);
});

test('models that could not be loaded are loaded for the next text', async () => {
  let calls = 0;
  const flaky = createLanguageIdentifier(() => (calls++ === 0 ? Promise.reject(new Error('EMFILE')) : loadModels()));
  await expect(flaky.identify('Clean water is important.')).rejects.toThrow('EMFILE');
  expect((await flaky.identify('Clean water is important.'))[0]!.language).toBe('en');
  await flaky.identify('Clean water is important.');
  expect(calls).toBe(2);
});

test('takes a text of any length', async () => {
  expect((await identifier.identify('Clean water is important. '.repeat(100_000)))[0]!.language).toBe('en');
});
