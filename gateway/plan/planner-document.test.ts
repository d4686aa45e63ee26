import { buildSchema, parse, print } from 'graphql';
import { aRequest } from '../testing/planning';
import { decideConditions } from './conditions';
import { plannerDocument } from './planner-document';

const apiSchema = buildSchema(`
  type Query { animal: Animal  pet: Pet }
  type Mutation { a: Int  b: Int  c: Int }
  interface Animal { name: String }
  interface Pet { name: String }
  type Cat implements Animal & Pet { name: String  lives: Int }
  type Dog implements Animal & Pet { name: String }
  type Bird implements Animal { name: String }
  type Robot implements Pet { name: String }`);

test.each([
  [
    'root fragments of mutations are written out in their place',
    'mutation { a ...F ... on Mutation { c } } fragment F on Mutation { b ... { c } }',
    'mutation { a b c c } fragment F on Mutation { b ... { c } }',
  ],
  ['what was emptied asks for __typename', '{ pet { name @skip(if: true) } }', '{ pet { __typename } }'],
  [
    'fragments on abstract types name object types below an interface object',
    '{ animal { ... on Pet { name ... on Robot { name } ... on Cat { lives } } ...B } } fragment B on Bird { name }',
    `{ animal { ... on Cat { name ... on Cat { lives } } ... on Dog { name } ...B } }
     fragment B on Bird { name }`,
  ],
  [
    'they stay where there is no interface object',
    '{ pet { ... on Animal { name } } }',
    '{ pet { ... on Animal { name } } }',
  ],
])('%s', (_case, source, expected) => {
  const request = aRequest(source);
  const document = plannerDocument(decideConditions(request, {}), {
    apiSchema,
    interfaceObjects: new Set(['Animal']),
  });
  expect(print(document)).toBe(print(parse(expected)));
});
