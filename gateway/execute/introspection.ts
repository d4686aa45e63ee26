import type { FieldSelection } from '@apollo/federation-internals';
import { executeSync, Kind, OperationTypeNode, visit, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';

/** Answers one `__schema` or `__type` field of an operation from the API schema. */
export function introspect(
  schema: GraphQLSchema,
  field: FieldSelection,
  definition: OperationDefinitionNode,
  variables: Record<string, unknown>,
): unknown {
  const selection = field.expandFragments().toSelectionNode();
  const used = new Set<string>();
  visit(selection, { Variable: (node) => void used.add(node.name.value) });
  const { data, errors } = executeSync({
    schema,
    document: {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          kind: Kind.OPERATION_DEFINITION,
          operation: OperationTypeNode.QUERY,
          variableDefinitions:
            definition.variableDefinitions?.filter((node) => used.has(node.variable.name.value)) ?? [],
          selectionSet: { kind: Kind.SELECTION_SET, selections: [selection] },
        },
      ],
    },
    rootValue: {},
    variableValues: variables,
  });
  if (errors?.[0]) throw errors[0];
  return data?.[field.element.responseName()];
}
