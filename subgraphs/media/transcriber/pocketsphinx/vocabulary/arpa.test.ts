import { trigramModel } from './arpa';

interface Row {
  probability: number;
  backoff: number;
}

/** The model's rows by words. */
function rowsOf(arpa: string): Map<string, Row> {
  return new Map(
    arpa.split('\n').flatMap((line) => {
      const [, probability, words, backoff = '0'] = /^(-?[\d.]+) (.+?)(?: (-?\d+\.\d+))?$/.exec(line) ?? [];
      if (words == null) return [];
      return [[words, { probability: 10 ** Number(probability), backoff: 10 ** Number(backoff) }] as const];
    }),
  );
}

const sentences = [
  ['press', 'one', 'for', 'sales'],
  ['press', 'two', 'for', 'service'],
  ['press', 'two', 'again'],
  ['goodbye'],
];

test('the probabilities behind every history add up to one', () => {
  const rows = rowsOf(trigramModel(sentences));
  const words = [...rows.keys()].filter((key) => !key.includes(' ') && key !== '<s>');
  const after = (history: string[], word: string): number => {
    const row = rows.get([...history, word].join(' '));
    if (row) return row.probability;
    return (rows.get(history.join(' '))?.backoff ?? 1) * after(history.slice(1), word);
  };
  for (const history of [
    [],
    ['<s>'],
    ['press'],
    ['for'],
    ['<s>', 'press'],
    ['press', 'two'],
    ['two', 'for'],
    ['goodbye'],
  ]) {
    const total = words.reduce((sum, word) => sum + after(history, word), 0);
    expect(total).toBeCloseTo(1, 2);
  }
});

test('what was seen more often is likelier, by absolute discounting', () => {
  const rows = rowsOf(trigramModel(sentences));
  expect(rows.get('press two')!.probability).toBeCloseTo((2 - 0.5) / 3, 3);
  expect(rows.get('press one')!.probability).toBeCloseTo((1 - 0.5) / 3, 3);
  expect(rows.get('press')!.probability).toBeCloseTo(3 / 16, 3);
});

test('says how many rows it has of each length', () => {
  const arpa = trigramModel(sentences);
  const stated = [...arpa.matchAll(/^ngram (\d)=(\d+)$/gm)].map(([, length, rows]) => [Number(length), Number(rows)]);
  const counted = [1, 2, 3].map((length) => [
    length,
    [...rowsOf(arpa).keys()].filter((key) => key.split(' ').length === length).length,
  ]);
  expect(stated).toEqual(counted);
});
