import { buildSchema, getOperationAST, parse } from 'graphql';
import { scalars } from '../../platform/subgraph/scalars';
import { coerceVariables } from './variables';

const schema = buildSchema(/* GraphQL */ `
  scalar DateTime
  enum Color {
    RED
  }
  input Point {
    x: Int!
    y: [Float!]
    name: String
    color: Color
    at: DateTime
    id: ID
    on: Boolean
  }
  type Query {
    at(point: Point, list: [Int!]): String
  }
`);
Object.assign(schema.getType('DateTime')!, { parseValue: scalars.DateTime.parseValue });
const operation = getOperationAST(parse('query ($point: Point!, $list: [Int!]) { at(point: $point, list: $list) }'))!;

function messagesOf(variables: Record<string, unknown>): string[] {
  const result = coerceVariables(schema, operation, variables);
  return 'errors' in result ? result.errors.map(({ message }) => message) : [];
}

test.each<[variables: Record<string, unknown>, message: string]>([
  [{ point: 'S3CRET' }, 'Variable "$point" got an invalid value; Expected type "Point" to be an object.'],
  [
    { point: { x: 'S3CRET' } },
    'Variable "$point" got an invalid value at "point.x"; Int cannot represent non-integer value.',
  ],
  [
    { point: { x: 1, y: [1, 'S3CRET; at "x"'] } },
    'Variable "$point" got an invalid value at "point.y[1]"; Float cannot represent non numeric value.',
  ],
  [
    { point: { x: 1, name: ['S3CRET'] } },
    'Variable "$point" got an invalid value at "point.name"; String cannot represent a non string value.',
  ],
  [
    { point: { x: 1, color: 'S3CRET' } },
    'Variable "$point" got an invalid value at "point.color"; The value does not exist in "Color" enum.',
  ],
  [
    { point: { x: 1, color: ['S3CRET'] } },
    'Variable "$point" got an invalid value at "point.color"; Enum "Color" cannot represent non-string value.',
  ],
  [
    { point: { x: 1, id: { a: 'S3CRET' } } },
    'Variable "$point" got an invalid value at "point.id"; ID cannot represent value.',
  ],
  [
    { point: { x: 1, on: 'S3CRET' } },
    'Variable "$point" got an invalid value at "point.on"; Boolean cannot represent a non boolean value.',
  ],
  [
    { point: { x: 1, at: 'S3CRET' } },
    'Variable "$point" got an invalid value at "point.at"; A DateTime looks like 2026-11-20T12:00:00.000Z.',
  ],
  [{ point: {} }, 'Variable "$point" got an invalid value; Field "x" of required type "Int!" was not provided.'],
  [{ point: null }, 'Variable "$point" of non-null type "Point!" must not be null.'],
  [{}, 'Variable "$point" of required type "Point!" was not provided.'],
  [
    { point: { x: 1 }, list: [2 ** 40] },
    'Variable "$list" got an invalid value at "list[0]"; Int cannot represent non 32-bit signed integer value.',
  ],
])('%j is refused without being quoted', (variables, message) => {
  expect(messagesOf(variables)).toEqual([message]);
});
