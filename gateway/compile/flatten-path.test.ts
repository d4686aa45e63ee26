import { buildSchema } from 'graphql';
import { flattenPath } from './flatten-path';
import { typeTests } from './types';

const types = typeTests(buildSchema('type Query { a: Int }'));

test('an object that stands at several places is visited once, and what takes its place stands at all of them', () => {
  const shared = { id: 2 };
  const first = { id: 1 };
  const data = { files: [{ owner: first }, { owner: shared }, { owner: shared }] };
  const visited: object[] = [];
  flattenPath(['files', '@', 'owner'], types).visit(data, true, (object) => {
    visited.push(object);
    return first;
  });
  expect(visited).toEqual([{ id: 1 }, { id: 2 }]);
  expect(data.files.map(({ owner }) => owner === first)).toEqual([true, true, true]);
});
