import type { GraphQLError } from 'graphql';

/** Statuses of codes that do not say that the request itself is wrong. */
const STATUSES: ReadonlyMap<unknown, number> = new Map([
  ['UNAUTHENTICATED', 401],
  ['SUBSCRIPTION_LIMIT', 429],
  ['STOPPING', 503],
  ['OVERLOADED', 503],
]);

/** The status of an answer that refuses an operation with these errors. */
export function refusalStatus(errors: readonly GraphQLError[]): number {
  const { http, code } = (errors[0]?.extensions ?? {}) as { http?: { status?: number }; code?: unknown };
  return http?.status ?? STATUSES.get(code) ?? 400;
}
