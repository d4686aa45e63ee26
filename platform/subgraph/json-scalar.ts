import { GraphQLError, GraphQLScalarType, valueFromASTUntyped } from 'graphql';
import { isDeeperThan } from '../json-depth';

/** Longest value a client may send, as JSON without white space, in bytes of UTF-8. */
export const MAX_JSON_BYTES = 64 * 1024;
/** Most objects and lists inside each other. */
export const MAX_JSON_DEPTH = 32;

/**
 * Any JSON value. What a client sends is bounded, and copied into plain objects: names that mean something to JavaScript, such as
 * `__proto__`, are data like any other there.
 */
export const JSONScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  parseValue: boundedJson,
  parseLiteral: (node, variables) => boundedJson(valueFromASTUntyped(node, variables)),
});

function boundedJson(value: unknown): unknown {
  // First: what is nested too deep could not be written either.
  if (isDeeperThan(MAX_JSON_DEPTH, value))
    throw new GraphQLError(`A JSON value has at most ${MAX_JSON_DEPTH} objects and lists inside each other.`);
  // Undefined: a literal with a variable, while the document is validated.
  const text = JSON.stringify(value, onlyFinite) ?? 'null';
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_JSON_BYTES)
    throw new GraphQLError(`A JSON value has at most ${MAX_JSON_BYTES} bytes; this one has ${bytes}.`);
  // `JSON.parse` defines its keys and never assigns them, so none reaches a prototype.
  return JSON.parse(text);
}

/** `1e999` is JSON, but JavaScript reads infinity and would write null. */
function onlyFinite(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new GraphQLError('A number in a JSON value must not be larger than 1.8e308.');
  return value;
}
