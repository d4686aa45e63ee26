import { dictionary } from '@zxcvbn-ts/language-common';
import { hashPassword, verifyPassword } from './passwords';
import { passwordWeakness } from './password-strength';

const PERSONAL = ['amina.odhiambo@mwanga.example', 'Amina', 'Amina Wanjiru Odhiambo'];
const weakness = (password: string): string | null => passwordWeakness(password, PERSONAL);

test.each<[why: string, password: string]>([
  ['words', 'correct horse battery staple'],
  ['8 characters', 'tk4#vLq9'],
  ['256 characters', 'nyuki '.repeat(42) + 'asal'],
  ['a NUL inside', 'before\0after'],
  ['8 emoji', '🐝🍯🌻🌍🦁🐘🦓🌴'],
  ['Arabic letters', 'نحل وعسل كثير'],
  ['a name with enough around it', 'amina counts green herons'],
])('a password of %s is fine', (_why, password) => {
  expect(weakness(password)).toBeNull();
});

test.each<[why: string, password: string]>([
  ['7 characters', 'tk4#vLq'],
  ['7 characters that are written as 14', 'e\u0301'.repeat(3) + 'u\u0308n\u0303a\u0302o\u0302'],
  ['257 characters', 'nyuki '.repeat(42) + 'asali'],
  ['1 MB', 'nyuki '.repeat(170_000)],
  ['only blanks', '            '],
  ['two characters', 'abababbaab'],
  ['a repetition', 'kiwikiwikiwi'],
  ['half of a character', 'tk4#vLq9\ud83d'],
  ['a common one', 'iloveyou'],
  ['a common one in capitals', 'BASEBALL'],
  ['a common one with a year', 'Football2024'],
  ['a common one with digits for letters', 'p4$$w0rd'],
  ['a common one in full-width letters', 'ｐａｓｓｗｏｒｄ'],
  ['the address', 'amina.odhiambo@mwanga.example'],
  ['the name before the @', 'Amina.Odhiambo'],
  ['the domain and a little', 'mwanga123!'],
  ['the name and a year', 'Odhiambo2024'],
  ['the whole name', 'Amina Wanjiru Odhiambo!'],
  ['the name backwards', 'obmaihdo12'],
  ['the name with digits for letters', '0dh14mb0!!'],
])('a password of %s is refused', (_why, password) => {
  expect(weakness(password)).not.toBeNull();
});

test('the three thousand passwords that are stolen most are refused', () => {
  const stolen = dictionary['passwords-common'].slice(0, 3_000);
  expect(stolen.filter((password) => weakness(password) === null)).toEqual([]);
});

test.each([73, 100, 200])('of a long password the byte %i counts', async (position) => {
  const password = Array.from({ length: 256 }, (_, index) => 'nyuki na asali'[index % 14]).join('');
  const twin = `${password.slice(0, position - 1)}#${password.slice(position)}`;
  const hash = await hashPassword(password);
  expect(await verifyPassword(twin, hash)).toBe(false);
  expect(await verifyPassword(password, hash)).toBe(true);
});

test('a password is one however a keyboard composes it, and another with something behind a NUL', async () => {
  const hash = await hashPassword('cafe\u0301 \ufb01n\0x');
  expect(await verifyPassword('café fin\0x', hash)).toBe(true);
  expect(await verifyPassword('café fin\0y', hash)).toBe(false);
  expect(await verifyPassword('café fin', hash)).toBe(false);
});

test('nothing matches where there is no password, and what is too long for one matches nothing', async () => {
  expect(await verifyPassword('a password that belongs to nobody', null)).toBe(false);
  expect(await verifyPassword('x'.repeat(1_000_000), await hashPassword('x'.repeat(256)))).toBe(false);
});
