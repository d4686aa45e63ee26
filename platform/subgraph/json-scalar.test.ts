import { buildSchema, graphqlSync, GraphQLSchema, parseValue, parse, validate, type GraphQLScalarType } from 'graphql';
import { JSONScalar, MAX_JSON_BYTES } from './json-scalar';

/** `{ echo(value: …) }` answers its argument as text. */
const base = buildSchema('scalar JSON type Query { echo(value: JSON): String }');
const schema = new GraphQLSchema(base.toConfig());
Object.assign(schema.getType('JSON') as GraphQLScalarType, {
  parseValue: JSONScalar.parseValue.bind(JSONScalar),
  parseLiteral: JSONScalar.parseLiteral.bind(JSONScalar),
});
const rootValue = { echo: ({ value }: { value: unknown }) => JSON.stringify(value) };

const byVariable = (text: string) =>
  graphqlSync({
    schema,
    rootValue,
    source: 'query ($value: JSON) { echo(value: $value) }',
    variableValues: { value: JSON.parse(text) as unknown },
  });
const byLiteral = (literal: string, variableValues = {}) =>
  graphqlSync({
    schema,
    rootValue,
    source: `query ($x: JSON) { a: echo(value: $x) echo(value: ${literal}) }`,
    variableValues,
  });

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
/** JSON of exactly so many bytes. */
const ofBytes = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));

test.each(['null', '1', '-0.5', '"text"', 'true', '[1,[2,{"a":null}]]', '{"a":{"b":[]}}'])(
  'takes %s as it is, as variable',
  (text) => {
    expect(byVariable(text)).toEqual({ data: { echo: text } });
  },
);

test('takes literals, with variables inside them', () => {
  expect(byLiteral('{ a: [1, 2.5, "x", true, null, NAME], b: { c: $x } }', { x: { d: 1 } }).data).toMatchObject({
    echo: '{"a":[1,2.5,"x",true,null,"NAME"],"b":{"c":{"d":1}}}',
  });
  expect(byLiteral('{ b: { c: $x } }').data).toMatchObject({ echo: '{"b":{}}' });
});

test('keys that mean something to JavaScript stay data, in variables and in literals', () => {
  const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toJSON":"x"}';
  expect(byVariable(text)).toEqual({ data: { echo: text } });
  const literal = '{ __proto__: { polluted: true }, constructor: { prototype: { polluted: true } }, toJSON: "x" }';
  expect(byLiteral(literal).data).toMatchObject({ echo: text });
  expect('polluted' in {}).toBe(false);
  const value = JSONScalar.parseLiteral(parseValue('{ __proto__: { polluted: true } }')) as { polluted?: boolean };
  expect([Object.getPrototypeOf(value), value.polluted]).toEqual([Object.prototype, undefined]);
});

test('takes a depth of 32 and refuses 33, and 1,000', () => {
  for (const ask of [byVariable, byLiteral]) {
    expect(ask(nested(32)).data).toMatchObject({ echo: nested(32) });
    for (const levels of [33, 1_000]) expect(ask(nested(levels)).errors![0]!.message).toMatch(/at most 32 objects/);
  }
});

test('takes 64 KiB and refuses a byte more, and 1 MB', () => {
  for (const ask of [byVariable, byLiteral]) {
    expect(ask(ofBytes(MAX_JSON_BYTES)).errors).toBeUndefined();
    for (const bytes of [MAX_JSON_BYTES + 1, 1_000_000])
      expect(ask(ofBytes(bytes)).errors![0]!.message).toMatch(/at most 65536 bytes/);
  }
  expect(byVariable(JSON.stringify('é'.repeat(MAX_JSON_BYTES / 2))).errors![0]!.message).toMatch(/has 65538/);
});

test('takes thousands of keys', () => {
  const text = JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [n, 1])));
  expect(byVariable(text)).toEqual({ data: { echo: text } });
});

test('refuses numbers that would become null', () => {
  expect(byVariable('[1e999]').errors![0]!.message).toMatch(/number/);
  expect(byLiteral('{ a: -1e999 }').errors![0]!.message).toMatch(/number/);
});

test('is valid in a document before its variables are known', () => {
  expect(validate(schema, parse('query ($x: JSON) { echo(value: { a: $x }) }'))).toEqual([]);
});
