import { getVariableValues, GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';

/** A value that fits no type is quoted in graphql-js' message; a long one is not sent back. */
const MAX_MESSAGE_LENGTH = 400;
/** A custom scalar takes values of any depth; a few thousand levels are more than `JSON.stringify` can write. */
const MAX_LEVELS = 500;

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
  if (isDeeperThan(MAX_LEVELS, inputs)) {
    const message = `Variables must not be nested deeper than ${MAX_LEVELS} levels.`;
    return { errors: [new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })] };
  }
  const result = getVariableValues(schema, operation.variableDefinitions ?? [], inputs, { maxErrors: 50 });
  if (result.coerced) return { variables: result.coerced };
  return {
    errors: (result.errors ?? []).map(
      ({ message, nodes }) =>
        new GraphQLError(message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message, {
          ...(nodes ? { nodes } : {}),
          extensions: { code: 'BAD_USER_INPUT' },
        }),
    ),
  };
}

/** Whether JSON is nested deeper. Values of other kinds, like uploads, are not looked into. */
function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(levels - 1, item));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) if (isDeeperThan(levels - 1, (value as Record<string, unknown>)[key])) return true;
  return false;
}
