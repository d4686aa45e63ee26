import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { JSONScalar } from './json-scalar';

/** Instants travel as ISO 8601 with milliseconds in UTC; inside they are `Date`. */
const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize: (value) => {
    if (value instanceof Date) return value.toISOString();
    if (typeof value === 'string') return value;
    throw new GraphQLError('A DateTime must be a Date.');
  },
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(textOf(node)),
});

/** RFC 3339 §5.6 with a time zone; a date without one would mean another instant on every machine. */
function parseInstant(value: unknown): Date {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(value)) {
    const instant = new Date(value);
    if (!Number.isNaN(instant.getTime())) return instant;
  }
  throw new GraphQLError('A DateTime looks like 2026-11-20T12:00:00.000Z.');
}

/** BCP 47 tags in their canonical form (RFC 5646 §4.5): `EN-us` arrives as `en-US`. */
const LanguageTag = new GraphQLScalarType<string, string>({
  name: 'LanguageTag',
  serialize: String,
  parseValue: parseTag,
  parseLiteral: (node) => parseTag(textOf(node)),
});

function parseTag(value: unknown): string {
  if (typeof value === 'string' && value.length <= 64) {
    try {
      return Intl.getCanonicalLocales(value)[0]!;
    } catch {
      // told below
    }
  }
  throw new GraphQLError('A LanguageTag is a BCP 47 tag such as en, es or pt-BR.');
}

/** Whole numbers up to 2^53 - 1, which JSON numbers carry exactly; BigInt columns included. */
const Long = new GraphQLScalarType<number, number>({
  name: 'Long',
  serialize: (value) => parseWhole(typeof value === 'bigint' ? Number(value) : value),
  parseValue: parseWhole,
  parseLiteral: (node) => parseWhole(node.kind === Kind.INT ? Number(node.value) : undefined),
});

function parseWhole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new GraphQLError('A Long is a whole number between -(2^53 - 1) and 2^53 - 1.');
}

const URLScalar = new GraphQLScalarType<string, string>({ name: 'URL', serialize: String });

function textOf(node: ValueNode): string | undefined {
  return node.kind === Kind.STRING ? node.value : undefined;
}

/** One implementation of each scalar for all subgraphs; a schema takes those it declares. */
export const scalars = { DateTime, LanguageTag, Long, URL: URLScalar, JSON: JSONScalar };
