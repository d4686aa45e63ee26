import { ID_PREFIXES, isId, newId, type IdPrefix } from './ids';

test('an id tells its kind and sorts by its time', () => {
  for (const prefix of Object.keys(ID_PREFIXES) as IdPrefix[]) {
    const id = newId(prefix);
    expect(id).toMatch(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));
    expect(isId(prefix, id)).toBe(true);
  }
  const times = [0, 1, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
  const ids = times.map((now) => newId('job', now));
  expect([...ids].sort()).toEqual(ids);
});

test('ten thousand ids of one millisecond are all different', () => {
  expect(new Set(Array.from({ length: 10_000 }, () => newId('fil', 0))).size).toBe(10_000);
});

test('what cannot be an id of a kind is told without a query', () => {
  const id = newId('fil');
  const others = [
    '',
    'fil_',
    newId('med'),
    id.toUpperCase(),
    `${id} `,
    id.slice(0, -1),
    `fil_${'u'.repeat(26)}`,
    `fil_${'0'.repeat(25)}\0`,
  ];
  for (const other of others) expect([other, isId('fil', other)]).toEqual([other, false]);
});
