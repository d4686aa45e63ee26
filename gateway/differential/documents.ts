import {
  Kind,
  print,
  validate,
  visit,
  type ASTNode,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

/** An operation with the variables sent with it. */
export interface Operation {
  document: DocumentNode;
  variables: Record<string, unknown>;
}

/** Takes what is invalid out of an operation until it is valid; null when nothing is left. */
export function repair(schema: GraphQLSchema, operation: Operation): Operation | null {
  let current = tidy(operation);
  while (current) {
    const errors = validate(schema, current.document);
    if (errors.length === 0) return current;
    // The last field of a conflict goes: the others may then stay.
    const guilty = new Set(errors.flatMap(({ nodes }) => nodes?.findLast(isSelection) ?? []));
    if (guilty.size === 0) throw new Error(`${errors[0]!.message}\n${print(current.document)}`);
    current = without(current, (node) => guilty.has(node));
  }
  return null;
}

/** The operation without some of its nodes, and without what is empty or unused then; null when nothing is left. */
export function without(operation: Operation, isGone: (node: ASTNode) => boolean): Operation | null {
  const document = visit(operation.document, { enter: (node) => (isGone(node) ? null : undefined) });
  return tidy({ ...operation, document });
}

/** Removes empty selection sets, unused or undefined fragments, and unused variables; null when no selection is left. */
export function tidy(operation: Operation): Operation | null {
  let { document } = operation;
  for (let before: DocumentNode | undefined; before !== document;) {
    before = document;
    document = removeEmpty(document);
  }
  const definition = operationOf(document);
  if (!definition) return null;
  const used = namesOf(document, Kind.VARIABLE);
  const tidied: OperationDefinitionNode = {
    ...definition,
    variableDefinitions: (definition.variableDefinitions ?? []).filter(({ variable }) => used.has(variable.name.value)),
  };
  const variables = Object.entries(operation.variables).filter(([name]) => used.has(name));
  return {
    document: { ...document, definitions: document.definitions.map((node) => (node === definition ? tidied : node)) },
    variables: Object.fromEntries(variables),
  };
}

/** The one operation of a document. */
export function operationOf(document: DocumentNode): OperationDefinitionNode | undefined {
  return document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
}

function isSelection(node: ASTNode): boolean {
  return node.kind === Kind.FIELD || node.kind === Kind.INLINE_FRAGMENT || node.kind === Kind.FRAGMENT_SPREAD;
}

function removeEmpty(document: DocumentNode): DocumentNode {
  const spread = namesOf(document, Kind.FRAGMENT_SPREAD);
  const defined = namesOf(document, Kind.FRAGMENT_DEFINITION);
  return visit(document, {
    enter(node) {
      if ('selectionSet' in node && node.selectionSet?.selections.length === 0) return null;
      if (node.kind === Kind.FRAGMENT_SPREAD && !defined.has(node.name.value)) return null;
      if (node.kind === Kind.FRAGMENT_DEFINITION && !spread.has(node.name.value)) return null;
      return undefined;
    },
  });
}

/** Names of all nodes of a kind, but for the definitions of variables. */
function namesOf(document: DocumentNode, kind: Kind): Set<string> {
  const names = new Set<string>();
  visit(document, {
    enter(node) {
      if (node.kind === Kind.VARIABLE_DEFINITION) return false;
      if (node.kind === kind && 'name' in node && node.name) names.add(node.name.value);
      return undefined;
    },
  });
  return names;
}
