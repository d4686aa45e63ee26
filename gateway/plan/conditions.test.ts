import { GraphQLError, print } from 'graphql';
import { aRequest } from '../testing/planning';
import { decideConditions } from './conditions';

function decided(source: string, variables: Record<string, unknown> = {}): { text: string; conditions: unknown } {
  const { document, conditions } = decideConditions(aRequest(source), variables);
  return { text: print(document).replace(/\s+/g, ' ').trim(), conditions };
}

test('without conditions a document stays the same object', () => {
  const request = aRequest('query @cached { a @other { b } }');
  expect(decideConditions(request, {}).document).toBe(request.document);
});

test.each([
  ['{ a @skip(if: true) b @include(if: true) }', {}, '{ b }', []],
  [
    'query ($x: Boolean!, $y: Boolean!) { a @skip(if: $x) b @include(if: $y) @skip(if: $x) c @other @include(if: $y) }',
    { x: false, y: true },
    'query ($x: Boolean!, $y: Boolean!) { a b c @other }',
    [
      ['x', false],
      ['y', true],
    ],
  ],
  ['{ a { b @skip(if: true) } c }', {}, '{ a c }', []],
  ['{ c ... { a { b } ... @skip(if: true) { d } } }', {}, '{ c ... { a { b } } }', []],
  [
    'query ($x: Boolean!) { c ...F ...G } fragment F on Q { ...G } fragment G on Q { a @include(if: $x) }',
    { x: false },
    'query ($x: Boolean!) { c } fragment F on Q fragment G on Q',
    [['x', false]],
  ],
  [
    'query ($x: Boolean!) { ... @defer(if: $x, label: "l") { a } ... @defer(if: false) { b } }',
    { x: true },
    'query ($x: Boolean!) { ... @defer(label: "l") { a } ... { b } }',
    [['x', true]],
  ],
])('%s with %j is %s', (source, variables, text, conditions) => {
  expect(decided(source, variables)).toEqual({ text, conditions });
});

test('variables of another operation decide nothing', () => {
  const source = 'query A ($x: Boolean!) { a @skip(if: $x) } query B { b }';
  expect(decideConditions(aRequest(source, 'B'), {}).conditions).toEqual([]);
});

test.each([
  ['null decides a condition', 'query ($x: Boolean = true) { a @skip(if: $x) }', { x: null }],
  ['nothing is left to subscribe to', 'subscription { a @skip(if: true) }', {}],
])('it is bad input when %s', (_case, source, variables) => {
  let thrown: unknown;
  try {
    decideConditions(aRequest(source), variables);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(GraphQLError);
  expect((thrown as GraphQLError).extensions).toEqual({ code: 'BAD_USER_INPUT' });
});
