import { GraphQLError } from 'graphql';

/** The operation takes more time or memory to plan than one operation may. */
export function planBudgetExceeded(): GraphQLError {
  return planError('PLAN_BUDGET_EXCEEDED', 400, 'Planning this operation takes too long. Ask for less at once.');
}

export function tooManyToPlan(): GraphQLError {
  return planError('OVERLOADED', 503, 'Too many operations wait to be planned. Try again.');
}

export function planningStopped(): GraphQLError {
  return planError('OVERLOADED', 503, 'The gateway stops. Try again.');
}

/** The supergraph composes, but to answer the operation an entity would have to be found by a key nobody resolves. */
export function unresolvableField(): GraphQLError {
  const message =
    'A field of this operation cannot be resolved: no subgraph finds its object by a key that is available.';
  return planError('UNRESOLVABLE_FIELD', 500, message);
}

/** The reason is logged where it was found: it speaks of subgraphs. */
export function cannotBePlanned(): GraphQLError {
  return planError('INTERNAL', 500, 'This operation cannot be planned.');
}

function planError(code: string, status: number, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } });
}
