import { computeResponse } from '@apollo/gateway/dist/resultShaping';
import { GraphQLError } from 'graphql';
import type { Execution, Result } from './execution';
import { introspect } from './introspection';

/**
 * What the client asked for out of what was fetched: selected fields in their order, `__typename`, introspection, and
 * null propagation. A null the schema forbids is reported, unless an error at the same place already explains it.
 */
export function shape(execution: Execution): Result {
  const { planned, variables, data: input, services, errors } = execution;
  const shaped = computeResponse({
    operation: planned.operation,
    variables,
    input,
    introspectionHandling: (field) => introspect(services.supergraph.apiSchema, field, planned.definition, variables),
  });
  const unexplained = shaped.errors.filter((error) => !errors.some((known) => explains(known, error)));
  const all = [...errors, ...unexplained.map(invalidAnswer)];
  return { ...(all.length > 0 ? { errors: all } : {}), data: shaped.data ?? null };
}

/** Whether the place of one error contains the other's. An error without a path is about everything. */
function explains(known: GraphQLError, error: GraphQLError): boolean {
  const longer = error.path ?? [];
  return (known.path ?? []).every((key, index) => index >= longer.length || key === longer[index]);
}

function invalidAnswer(error: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, {
    ...(error.path ? { path: error.path } : {}),
    extensions: { code: 'INTERNAL' },
  });
}
