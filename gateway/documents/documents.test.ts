import { buildSchema, specifiedRules } from 'graphql';
import { DEFAULT_LIMITS } from '../limits';
import { createDocuments } from './documents';

const newDocuments = () =>
  createDocuments({
    schema: buildSchema('type Query { sum(of: [Int!]): Int }'),
    rules: specifiedRules,
    limits: DEFAULT_LIMITS,
    suggestions: false,
    cacheSize: 1_000,
  });

const long = (seed: number): string => `query Q${seed} { sum(of: [${Array(1_900).fill(seed).join()}]) }`;

test('valid documents are kept, invalid ones are not', () => {
  const documents = newDocuments();
  const read = documents.read('{ sum }');
  expect(documents.known('{ sum }')).toBe(read);
  expect(documents.read('{ nothing }')).toEqual([expect.objectContaining({ message: expect.any(String) })]);
  expect(documents.known('{ nothing }')).toBeUndefined();
});

test('documents are kept by their size: a flood of long ones pushes out other long ones, not those in use', () => {
  const documents = newDocuments();
  documents.read('{ sum }');
  for (let seed = 0; seed < 500; seed++) {
    expect(documents.read(long(seed))).not.toBeInstanceOf(Array);
    expect(documents.known('{ sum }')).toBeDefined();
  }
  const kept = Array.from({ length: 500 }, (_, seed) => documents.known(long(seed))).filter(Boolean);
  expect(kept.length).toBeGreaterThan(50);
  expect(kept.length).toBeLessThan(150);
});
