import { createHash } from 'node:crypto';
import { HeaderMap } from '@apollo/server';
import { GraphQLError, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import type { CallIdentity } from '../../platform/identity/viewer';
import type { Logger } from '../../platform/logger';
import { coerceVariables } from '../execute/variables';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import type { Count, Counter } from './counter-store';
import { countFields, dependsOnVariables, type MarkedCount } from './operation-counts';
import { DEFAULT_GENERAL_BUDGET, type RateLimitOptions } from './options';
import { readRateLimits, type RateLimitKey } from './rules';
import { selectedFields, type SelectedField } from './selected-fields';

/** Decides whether an operation may run now, by how often what it executes was executed. */
export interface Admission {
  /**
   * Counts the executions of an operation of a valid document. Resolves with an error that refuses it: RATE_LIMITED, with
   * `retryAfterMs`; or RATE_LIMITS_UNAVAILABLE when a field with `@rateLimit` cannot be counted. Other fields are let
   * through then. What is refused counts, too, but not by what its arguments say. Never rejects.
   */
  admit(
    request: { document: DocumentNode; operation: OperationDefinitionNode },
    inputs: Readonly<Record<string, unknown>>,
    identity: CallIdentity,
  ): Promise<GraphQLError | undefined>;
}

/** How long who could not be counted is asked to wait, in milliseconds. */
const UNAVAILABLE_RETRY_MS = 1_000;
/** Of the text of an argument's value only a hash is kept: it may be an address, and it may be long. */
const HASH_LENGTH = 22;

/** Counts by the rules of one supergraph. Throws when one has no meaning. */
export function createAdmission(
  supergraph: Pick<LoadedSupergraph, 'sdl' | 'fullSchema' | 'apiSchema'>,
  { store, factor = 1, general = DEFAULT_GENERAL_BUDGET }: RateLimitOptions,
  logger: Logger,
): Admission {
  const { apiSchema: schema } = supergraph;
  const rules = readRateLimits(supergraph.sdl, supergraph.fullSchema);
  const budget = general && store.counter('general', general.limit, general.windowS);
  /** Operations of documents that are kept. */
  const known = new WeakMap<OperationDefinitionNode, { fields: readonly SelectedField[]; isVariable: boolean }>();
  const fieldsOf = (document: DocumentNode, operation: OperationDefinitionNode) => {
    const kept = known.get(operation);
    if (kept) return kept;
    const fields = selectedFields({ schema, rules }, document, operation);
    const made = { fields, isVariable: dependsOnVariables(fields) };
    known.set(operation, made);
    return made;
  };
  const counterOf = ({ rule: { id, limit, windowS } }: MarkedCount): Counter =>
    store.counter(id, Math.ceil(limit * factor), windowS);

  return {
    async admit({ document, operation }, inputs, identity) {
      const { fields, isVariable } = fieldsOf(document, operation);
      const coerced = isVariable ? coerceVariables(schema, operation, inputs) : { variables: {} };
      // Variables that do not fit are refused with the reason by whoever prepares the operation.
      if ('errors' in coerced) return undefined;
      const { roots, marked } = countFields(fields, coerced.variables);
      const add = (count: MarkedCount): Promise<Count> => counterOf(count).add(keyOf(count, identity), count.points);
      const spending = budget?.add(keyPart('ACCOUNT', null, identity), roots).catch((error: unknown) => {
        logger.debug({ error }, 'an operation could not be counted');
        return NOTHING;
      });
      const byCaller = marked.filter((count) => !isByArgument(count)).map(add);
      const refused = await refusalBy(spending ? [...byCaller, spending] : byCaller);
      // Arguments are what a client likes: only one with something left may make the store keep a count for each.
      return refused ?? refusalBy(marked.filter(isByArgument).map(add));
    },
  };
}

/** What an operation costs that could not be counted and need not be. */
const NOTHING: Count = { isOver: false, retryAfterMs: 0 };

function isByArgument({ rule }: MarkedCount): boolean {
  return rule.by.includes('ARGUMENT');
}

async function refusalBy(counting: readonly Promise<Count>[]): Promise<GraphQLError | undefined> {
  const counts = await Promise.allSettled(counting);
  const waits = counts.flatMap((each) =>
    each.status === 'fulfilled' && each.value.isOver ? [each.value.retryAfterMs] : [],
  );
  if (waits.length > 0) return tooMany(Math.max(...waits));
  return counts.some(({ status }) => status === 'rejected') ? uncounted() : undefined;
}

function keyOf({ rule, value }: MarkedCount, identity: CallIdentity): string {
  return rule.by.map((key) => keyPart(key, value, identity)).join(' ');
}

function keyPart(key: RateLimitKey, value: string | null, { viewer, client }: CallIdentity): string {
  if (key === 'ARGUMENT')
    return createHash('sha256')
      .update(value ?? '')
      .digest('base64url')
      .slice(0, HASH_LENGTH);
  if (key === 'ACCOUNT' && viewer) return viewer.userId;
  return client?.ipAddress ?? 'unknown';
}

function tooMany(retryAfterMs: number): GraphQLError {
  const seconds = Math.ceil(retryAfterMs / 1_000);
  return refusal(429, 'RATE_LIMITED', `Too many requests. Try again in ${seconds} s.`, retryAfterMs);
}

function uncounted(): GraphQLError {
  const message = 'This cannot be done at the moment. Nothing was changed; try again in a few seconds.';
  return refusal(503, 'RATE_LIMITS_UNAVAILABLE', message, UNAVAILABLE_RETRY_MS);
}

function refusal(status: number, code: string, message: string, retryAfterMs: number): GraphQLError {
  // As Apollo Server takes a status and headers from an error.
  const headers = new HeaderMap([['retry-after', String(Math.ceil(retryAfterMs / 1_000))]]);
  const http: { status: number; headers: Map<string, string> } = { status, headers };
  return new GraphQLError(message, { extensions: { code, retryAfterMs, http } as Record<string, unknown> });
}
