import { createRandom, type Random } from '../../differential/random';
import { itemsOf, variableTexts } from './json-text';

test('lists of any JSON fall into the texts of their items', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = createRandom(seed);
    const items = Array.from({ length: random.below(5) }, () => aValue(random, 4));
    expect(itemsOf(JSON.stringify(items))).toEqual(items.map((item) => JSON.stringify(item)));
  }
});

test('variables are read with their values as they are written', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = createRandom(seed);
    const names = ['a', '_0', 'representations'].slice(random.below(4));
    const values = new Map(names.map((name) => [name, JSON.stringify(aValue(random, 4))]));
    const text = `{${[...values].map(([name, value]) => `"${name}":${value}`).join(',')}}`;
    expect(variableTexts(text)).toEqual(values);
  }
});

function aValue(random: Random, levels: number): unknown {
  if (levels === 0 || random.chance(0.4)) return random.pick([null, 1.5, true, '', ...TEXTS]);
  const values = Array.from({ length: random.below(4) }, () => aValue(random, levels - 1));
  return random.chance(0.5) ? values : Object.fromEntries(values.map((value) => [random.pick(TEXTS), value]));
}

const TEXTS = ['a', '"', '\\', '\\"', '\\\\', '","', '}]', '{[', '":', '\n\u2028', '😀'];
