import { fromStream, restoreCase, toStream } from './apertium-text';

describe('toStream', () => {
  test('escapes every reserved character', () => {
    expect(toStream('[a]{b}^c$/\\@<d>')).toBe('\\[a\\]\\{b\\}\\^c\\$\\/\\\\\\@\\<d\\>.[]');
  });

  test('drops NUL bytes, which would end the request early', () => {
    expect(toStream('a\0b')).toBe('ab.[]');
  });

  test('replaces noncharacters: the C library takes U+FFFF for the end of the input', () => {
    expect(toStream('a\uFFFFb\uFDD0c\u{1FFFE}')).toBe('a\uFFFDb\uFFFDc\uFFFD.[]');
  });

  test('wraps white space that must survive, with a full stop nobody sees at line breaks', () => {
    expect(toStream('one  two\tthree\n\nfour')).toBe('one[  ]two[\t]three.[][\n\n]four.[]');
  });

  test('cuts runs without white space that would outgrow the buffer of lt-proc', () => {
    const longest = toStream('the-'.repeat(1_000))
      .split('[-]')
      .map((run) => run.length);
    expect(Math.max(...longest)).toBeLessThanOrEqual(1_004);
    expect(fromStream(toStream('the-'.repeat(1_000))).text).toBe('the-'.repeat(1_000));
  });

  test('writes accents in one character, as the dictionaries do', () => {
    expect(toStream('cafe\u0301')).toBe('café.[]');
  });
});

describe('fromStream', () => {
  const samples = [
    '[a] {b} ^c$ / \\ @ <d> \\[ ]]',
    '*bold* #tag ~5 user@example.com',
    'two  spaces\tand\r\nlines\n\n\nmore',
    'ends in a stop.\nand another.',
    '.[] [-] [1]',
    '👨‍👩‍👧 ١٢٣ 你好',
  ];
  test.each(samples)('gives back what toStream was given: %j', (text) => {
    expect(fromStream(toStream(text))).toEqual({ text, unknownWords: [] });
  });

  test('strips the marks of unknown words and tells the words once each', () => {
    expect(fromStream('El *foobar-baz, un @water y #lekar; *foobar-baz.[]')).toEqual({
      text: 'El foobar-baz, un water y lekar; foobar-baz',
      unknownWords: ['foobar-baz', 'water', 'lekar'],
    });
  });

  test('closes up spaces that the engine added and keeps those of the caller', () => {
    expect(fromStream(' Tengo  tres [  ] libros.[][\n] Adiós.[]').text).toBe('Tengo tres  libros\nAdiós');
  });
});

describe('restoreCase', () => {
  test('begins each line as its source does', () => {
    expect(restoreCase('muchas gracias\nTe veo', 'Thank you\nsee you', 'es')).toBe('Muchas gracias\nte veo');
  });

  test('keeps the first capital of English, where "I" may stand for a small word', () => {
    expect(restoreCase('I have a dog', 'tengo un perro', 'en')).toBe('I have a dog');
  });

  test('lowers a word that is shouted at the beginning of a sentence only because its source was one letter', () => {
    expect(restoreCase('UN perro. EL agua y la ONU', 'A dog. The water', 'es')).toBe('Un perro. El agua y la ONU');
  });

  test('keeps what was shouted', () => {
    expect(restoreCase('EL AGUA', 'THE WATER', 'es')).toBe('EL AGUA');
  });
});
