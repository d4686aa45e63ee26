import { print } from 'graphql';
import { aRequest } from '../testing/planning';
import { renameClashingFields } from './client-names';

/** As in a supergraph with the keys `id` and `code { x }`, and fields that require `size` and `size(unit: "cm")`. */
const ADDED = new Map([
  ['__typename', ['']],
  ['id', ['']],
  ['code', ['']],
  ['x', ['']],
  ['size', ['', 'unit:"cm"']],
  ['hue', ['a:1,of:{b: 1, c: 2}']],
]);

function renamed(source: string): { text: string; names: Record<string, string> } {
  const { document, clientNames } = renameClashingFields(aRequest(source), ADDED);
  return { text: print(document).replace(/\s+/g, ' '), names: Object.fromEntries(clientNames) };
}

test.each([
  ['nothing clashes', '{ a { id code { x } other: name __typename } }'],
  ['the planner adds just that', '{ a { id: id hue(of: { c: 2, b: 1 }, a: 1) } }'],
])('an operation stays as it is where %s', (_case, source) => {
  const request = aRequest(source);
  const { document, operation, clientNames } = renameClashingFields(request, ADDED);
  expect([document, operation]).toEqual([request.document, request.operation]);
  expect(clientNames.size).toBe(0);
});

test.each([
  ['{ a { id: name } }', '{ a { client_id: name } }', { client_id: 'id' }],
  ['{ a { __typename: name } }', '{ a { client___typename: name } }', { client___typename: '__typename' }],
  ['{ a { size } }', '{ a { client_size: size } }', { client_size: 'size' }],
  ['{ a { code { x: y } } }', '{ a { code { client_x: y } } }', { client_x: 'x' }],
  ['{ id: name client_id }', '{ client2_id: name client_id }', { client2_id: 'id' }],
  [
    '{ a { ... on B { id: name } ... on C { id } ...D } } fragment D on D { id: name id: name }',
    '{ a { ... on B { client_id: name } ... on C { id } ...D } } fragment D on D { client_id: name client_id: name }',
    { client_id: 'id' },
  ],
  [
    '{ a { ... on B { f(a: 1, b: 2) f(b: 2, a: 1) } ... on C { f(a: 2) } } }',
    '{ a { ... on B { f(a: 1, b: 2) f(b: 2, a: 1) } ... on C { client_f: f(a: 2) } } }',
    { client_f: 'f' },
  ],
  [
    '{ id: __schema { id: description types { name: kind } } } fragment T on __Type { name: kind }',
    '{ id: __schema { id: description types { name: kind } } } fragment T on __Type { name: kind }',
    {},
  ],
])('%s is planned as %s', (source, text, names) => {
  expect(renamed(source)).toEqual({ text, names });
});
