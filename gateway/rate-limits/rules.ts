import { getArgumentValues, isInterfaceType, isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql';

export type RateLimitKey = 'SOURCE' | 'ACCOUNT' | 'ARGUMENT';

/** One `@rateLimit` of one field. */
export interface RateLimitRule {
  /** The same in every process: field, and which of its directives. */
  id: string;
  /** Executions in one window. */
  limit: number;
  windowS: number;
  by: readonly RateLimitKey[];
  /** The path to the value that `ARGUMENT` is about; empty without. */
  argument: readonly string[];
}

/** The rules of fields, by `Type.field`. */
export type RateLimitRules = ReadonlyMap<string, readonly RateLimitRule[]>;

const DIRECTIVE = 'rateLimit';
const SPECIFICATION = 'https://sauti.dev/specs/limits/';
const KEYS: readonly unknown[] = ['SOURCE', 'ACCOUNT', 'ARGUMENT'] satisfies RateLimitKey[];

/**
 * Reads how often fields may be executed from a supergraph (`sdl`, and `schema` with the directives in it). A directive of
 * this name that is not linked to the specification is somebody else's. Throws when a setting has no meaning, with the
 * name of the field.
 */
export function readRateLimits(sdl: string, schema: GraphQLSchema): RateLimitRules {
  const directive = sdl.includes(SPECIFICATION) ? schema.getDirective(DIRECTIVE) : undefined;
  const rules = new Map<string, RateLimitRule[]>();
  if (!directive) return rules;
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const nodes = field.astNode?.directives?.filter(({ name }) => name.value === DIRECTIVE) ?? [];
      const name = `${type.name}.${field.name}`;
      const own = nodes.map((node, index) =>
        checked(`${name}#${index}`, name, field, getArgumentValues(directive, node)),
      );
      if (own.length > 0) rules.set(name, own);
    }
  }
  return rules;
}

function checked(
  id: string,
  name: string,
  field: GraphQLField<unknown, unknown>,
  given: Record<string, unknown>,
): RateLimitRule {
  const fail = (what: string): never => {
    throw new Error(`@rateLimit of ${name}: ${what}`);
  };
  const { limit, windowS, by, argument } = given as {
    limit: number;
    windowS: number;
    by: unknown[];
    argument?: string;
  };
  if (limit < 0 || windowS < 1) fail('"limit" must be at least 0 and "windowS" at least 1.');
  if (by.length === 0 || !by.every((key) => KEYS.includes(key)))
    fail('"by" must be some of SOURCE, ACCOUNT and ARGUMENT.');
  const path = argument?.split('.') ?? [];
  if (by.includes('ARGUMENT') !== path.length > 0) fail('"argument" and the key ARGUMENT need each other.');
  if (path.length > 0 && !field.args.some(({ name: known }) => known === path[0]))
    fail(`there is no argument "${path[0]}".`);
  return { id, limit, windowS, by: by as RateLimitKey[], argument: path };
}
