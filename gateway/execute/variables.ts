import { getVariableValues, GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { isDeeperThan, MAX_JSON_LEVELS } from '../../platform/json-depth';
import { variableError } from './variable-errors';

/**
 * The values of an operation's variables, coerced against the API schema with defaults filled in, or BAD_USER_INPUT
 * errors: subgraphs never see a variable that does not fit.
 */
export function coerceVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  inputs: Readonly<Record<string, unknown>>,
): { variables: Record<string, unknown> } | { errors: GraphQLError[] } {
  if (!operation.variableDefinitions?.length) return { variables: {} };
  // A custom scalar takes values of any depth.
  if (isDeeperThan(MAX_JSON_LEVELS, inputs)) {
    const message = `Variables must not be nested deeper than ${MAX_JSON_LEVELS} levels.`;
    return { errors: [new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })] };
  }
  const result = getVariableValues(schema, operation.variableDefinitions ?? [], inputs, { maxErrors: 50 });
  if (result.coerced) return { variables: result.coerced };
  return { errors: (result.errors ?? []).map(variableError) };
}
