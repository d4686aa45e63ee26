import { executeSync, Kind, OperationTypeNode, visit, type FieldNode, type GraphQLSchema } from 'graphql';
import type { CompiledOperation } from '../compile/compile-operation';

/** Answers one `__schema` or `__type` field of an operation from the API schema, as JSON text. */
export function introspect(
  schema: GraphQLSchema,
  field: FieldNode,
  operation: Pick<CompiledOperation, 'definition' | 'fragments'>,
  variables: Record<string, unknown>,
): string {
  const used = new Set<string>();
  for (const node of [field, ...operation.fragments])
    visit(node, { Variable: ({ name }) => void used.add(name.value) });
  const { data, errors } = executeSync({
    schema,
    document: {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          kind: Kind.OPERATION_DEFINITION,
          operation: OperationTypeNode.QUERY,
          variableDefinitions:
            operation.definition.variableDefinitions?.filter((node) => used.has(node.variable.name.value)) ?? [],
          selectionSet: { kind: Kind.SELECTION_SET, selections: [field] },
        },
        ...operation.fragments,
      ],
    },
    rootValue: {},
    variableValues: variables,
  });
  if (errors?.[0]) throw errors[0];
  return JSON.stringify(data?.[(field.alias ?? field.name).value]);
}
