import type { RecognizedSegment } from '../../transcriber/transcriber';
import type { RedactionKind } from '../recognition-plan';
import { cleanSegments, maybeGoesOn } from './clean-segments';

const ALL: RedactionKind[] = ['EMAIL', 'PHONE', 'CARD', 'NUMBER'];

/** Each word takes 100 ms. */
function said(text: string, startMs = 0, language = 'en-US'): RecognizedSegment {
  const words = text.split(' ').map((word, at) => ({
    text: word,
    startMs: startMs + at * 100,
    endMs: startMs + at * 100 + 100,
    confidence: 0.5,
  }));
  return { index: 0, text, startMs, endMs: words.at(-1)!.endMs, confidence: 0.5, language, words };
}
function cleaned(text: string, redact: RedactionKind[], language = 'en-US'): string {
  const [segment] = cleanSegments([said(text, 0, language)], { maskProfanity: false, redact });
  expect(segment!.words.map((word) => word.text).join(' ')).toBe(segment!.text);
  return segment!.text;
}
const masked = (text: string, language = 'en-US'): string =>
  cleanSegments([said(text, 0, language)], { maskProfanity: true, redact: [] })[0]!.text;

test.each<[RedactionKind, string, string]>([
  ['EMAIL', 'Write to jane.doe@example.org, please.', 'Write to [EMAIL], please.'],
  ['EMAIL', 'Write to jane at example dot org.', 'Write to [EMAIL].'],
  ['EMAIL', 'It is jane dot doe underscore five at mail dot example dot co dot ke now', 'It is [EMAIL] now'],
  ['EMAIL', 'that is j d o e at example.org or so', 'that is [EMAIL] or so'],
  ['EMAIL', 'We meet at noon at the school.', 'We meet at noon at the school.'],
  ['PHONE', 'Call 415-555-0199.', 'Call [PHONE].'],
  ['PHONE', 'Call +1 (415) 555 0199 today', 'Call [PHONE] today'],
  ['PHONE', 'call four one five five five five oh one nine nine today', 'call [PHONE] today'],
  ['PHONE', 'it is double five triple one two three and ask', 'it is [PHONE] and ask'],
  ['PHONE', 'oh seven twenty fifty five thirty-one sixty', '[PHONE]'],
  ['PHONE', 'I saw five birds and six dogs in 2024.', 'I saw five birds and six dogs in 2024.'],
  ['PHONE', 'On 2024-11-26 we paid 1,234,567 shillings.', 'On 2024-11-26 we paid 1,234,567 shillings.'],
  ['PHONE', 'Four one five. Three birds. Five five five one.', 'Four one five. Three birds. Five five five one.'],
  ['CARD', 'my card is 4111 1111 1111 1111, thanks', 'my card is [CARD], thanks'],
  [
    'CARD',
    'card four one one one one one one one one one one one one one one one one two three',
    'card [CARD] one two three',
  ],
  ['CARD', 'not a card 4111 1111 1111 1112', 'not a card 4111 1111 1111 1112'],
  ['NUMBER', 'Twenty five of 1,000 people, one hundred and five, 3rd.', '[NUMBER] of [NUMBER] people, [NUMBER].'],
  ['NUMBER', 'Oh, we are happy.', 'Oh, we are happy.'],
])('%s: %s', (kind, text, expected) => {
  expect(cleaned(text, [kind])).toBe(expected);
});

test.each([
  ['es', 'llama al seis uno dos tres cuatro cinco seis siete ocho', 'llama al [PHONE]'],
  ['sw-KE', 'piga sifuri saba mbili mbili tatu nne tano sita saba nane', 'piga [PHONE]'],
  ['fr', 'un chat et deux chiens', 'un chat et deux chiens'],
])('digits are known as words in %s', (language, text, expected) => {
  expect(cleaned(text, ['PHONE'], language)).toBe(expected);
});

test('what is more particular counts first', () => {
  const text = 'card 4111111111111111 phone 4155550199 mail a1@b2.org and 7';
  expect(cleaned(text, ALL)).toBe('card [CARD] phone [PHONE] mail [EMAIL] and [NUMBER]');
});

test('a redacted run becomes one word with the times of all it stands for', () => {
  const [segment] = cleanSegments([said('call 415 555 0199, now', 1_000)], { maskProfanity: false, redact: ['PHONE'] });
  expect(segment!.words).toEqual([
    { text: 'call', startMs: 1_000, endMs: 1_100, confidence: 0.5 },
    { text: '[PHONE],', startMs: 1_100, endMs: 1_400, confidence: 0.5 },
    { text: 'now', startMs: 1_400, endMs: 1_500, confidence: 0.5 },
  ]);
});

test('a number that is told with pauses is found over several segments', () => {
  const segments = [
    said('It is four one five.'),
    said('Five five five.', 1_500),
    said('Oh one nine nine. Bye.', 3_000),
  ];
  const texts = cleanSegments(segments, { maskProfanity: false, redact: ['PHONE'] }).map(({ text }) => text);
  expect(texts).toEqual(['It is [PHONE].', '[PHONE].', '[PHONE]. Bye.']);
  const apart = [said('It is four one five.'), said('Five five five one.', 60_000)];
  expect(cleanSegments(apart, { maskProfanity: false, redact: ['PHONE'] })).toEqual(apart);
});

test('a segment without words is cleaned in its text', () => {
  const segment = { ...said('call 4155550199'), words: [] };
  expect(cleanSegments([segment], { maskProfanity: false, redact: ['PHONE'] })).toEqual([
    { ...segment, text: 'call [PHONE]' },
  ]);
});

test('rude words keep their first letter, their case and their punctuation; others are left alone', () => {
  expect(masked('Shit, that FUCKING asshole’s goddamn class!')).toBe('S***, that F****** a******’s g****** class!');
  expect(masked('Assess the classic cocktail in Scunthorpe, Dick.')).toBe(
    'Assess the classic cocktail in Scunthorpe, Dick.',
  );
  expect(masked('Quelle merde, mon con.', 'fr-FR')).toBe('Quelle m****, mon c**.');
  expect(masked('con mierda', 'es')).toBe('con m*****');
});

test('without rules nothing is touched', () => {
  const segments = [said('Shit, 4155550199')];
  expect(cleanSegments(segments, { maskProfanity: false, redact: [] })).toEqual(segments);
});

test.each<[RedactionKind, string, boolean]>([
  ['PHONE', 'call five five five', true],
  ['PHONE', 'call five five five dash', true],
  ['NUMBER', 'one hundred and', true],
  ['PHONE', 'call five five five now', false],
  ['PHONE', 'we went there and', false],
  ['EMAIL', 'call five five five', false],
  ['EMAIL', 'write to jane dot', true],
  ['EMAIL', 'write to jane at', true],
  ['EMAIL', 'write to jane at example', true],
  ['EMAIL', 'it is j', true],
  ['EMAIL', 'write to jane', false],
  ['PHONE', 'write to jane at', false],
])('%s may go on behind "%s": %s', (kind, text, goesOn) => {
  expect(maybeGoesOn(said(text), { maskProfanity: false, redact: [kind] })).toBe(goesOn);
});
