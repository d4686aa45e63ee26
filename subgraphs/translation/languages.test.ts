import { isSameLanguage, listLanguages, lookUpTag } from './languages';

test('lists languages by English name, with endonym, direction and targets', () => {
  const pairs = ['es>en', 'ur>hi', 'en>es', 'en>ca'].map((pair) => {
    const [source, target] = pair.split('>') as [string, string];
    return { source, target, route: [source, target] };
  });
  expect(listLanguages(pairs)).toEqual([
    { tag: 'ca', name: 'Catalan', endonym: 'català', rightToLeft: false, targets: [] },
    { tag: 'en', name: 'English', endonym: 'English', rightToLeft: false, targets: ['ca', 'es'] },
    { tag: 'hi', name: 'Hindi', endonym: 'हिन्दी', rightToLeft: false, targets: [] },
    { tag: 'es', name: 'Spanish', endonym: 'español', rightToLeft: false, targets: ['en'] },
    { tag: 'ur', name: 'Urdu', endonym: 'اردو', rightToLeft: true, targets: ['hi'] },
  ]);
});

test('looks a tag up by dropping subtags from the end', () => {
  const known = new Set(['en', 'pt', 'pt-BR', 'sr-Latn']);
  expect(lookUpTag('en-US', known)).toBe('en');
  expect(lookUpTag('pt-BR', known)).toBe('pt-BR');
  expect(lookUpTag('sr-Cyrl', known)).toBeNull();
  expect(lookUpTag('fr', known)).toBeNull();
});

test('regions do not make another language, scripts do', () => {
  expect(isSameLanguage('en-US', 'en-GB')).toBe(true);
  expect(isSameLanguage('zh-Hans', 'zh-Hant')).toBe(false);
  expect(isSameLanguage('und', 'en')).toBe(false);
});
