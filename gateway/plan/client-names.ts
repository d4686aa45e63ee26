import { Kind, visit, type ASTNode, type DocumentNode, type FieldNode, type OperationDefinitionNode } from 'graphql';
import { argumentsText } from './thread/arguments-text';

export interface RenamedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The response names a client knows, by the names they were replaced with. */
  clientNames: ReadonlyMap<string, string>;
}

/**
 * Gives a response name of its own to every field whose name the planner needs for itself. It selects keys and required
 * fields beside those of the client, by their plain names; where a client uses such a name for another field or with
 * other arguments, the planner silently drops one of the two (decision 10). A response name is replaced as a whole, so
 * fields that could be merged still can.
 */
export function renameClashingFields(
  operation: { document: DocumentNode; operation: OperationDefinitionNode },
  addedFields: ReadonlyMap<string, readonly string[]>,
): RenamedOperation {
  const taken = new Set<string>(addedFields.keys());
  const clashing = new Set<string>();
  visit(operation.document, {
    ...skipIntrospection,
    Field(node) {
      taken.add(responseName(node)).add(node.name.value);
      if (isIntrospection(node)) return false;
      if (clashes(node, addedFields)) clashing.add(responseName(node));
      return undefined;
    },
  });
  if (clashing.size === 0) return { ...operation, clientNames: NO_NAMES };

  const replacements = new Map([...clashing].map((name) => [name, freeName(name, taken)]));
  const replace = <Node extends ASTNode>(root: Node): Node =>
    visit(root, {
      ...skipIntrospection,
      Field: {
        enter: (node) => (isIntrospection(node) ? false : undefined),
        leave(node) {
          const name = replacements.get(responseName(node));
          if (!name || isIntrospection(node) || isPlainlyAdded(node, addedFields)) return undefined;
          return { ...node, alias: { kind: Kind.NAME, value: name } };
        },
      },
    });
  const renamed = replace(operation.operation);
  return {
    document: {
      ...operation.document,
      definitions: operation.document.definitions.map((node) =>
        node === operation.operation ? renamed : replace(node),
      ),
    },
    operation: renamed,
    clientNames: new Map([...replacements].map(([name, replacement]) => [replacement, name])),
  };
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Introspection is answered by the gateway itself, without a plan. */
const skipIntrospection = {
  FragmentDefinition: (node: { typeCondition: { name: { value: string } } }): false | undefined =>
    node.typeCondition.name.value.startsWith('__') ? false : undefined,
};

function isIntrospection(node: FieldNode): boolean {
  return node.name.value === '__schema' || node.name.value === '__type';
}

function responseName(node: FieldNode): string {
  return node.alias?.value ?? node.name.value;
}

function clashes(node: FieldNode, addedFields: ReadonlyMap<string, readonly string[]>): boolean {
  const name = responseName(node);
  const added = addedFields.get(name);
  if (!added) return false;
  return name !== node.name.value || added.length > 1 || added[0] !== argumentsText(node.arguments);
}

/** Whether a field is just what the planner adds, without arguments: then it may share the name, whatever others do. */
function isPlainlyAdded(node: FieldNode, addedFields: ReadonlyMap<string, readonly string[]>): boolean {
  return !node.arguments?.length && !clashes(node, addedFields);
}

function freeName(name: string, taken: Set<string>): string {
  let free = `client_${name}`;
  for (let count = 2; taken.has(free); count++) free = `client${count}_${name}`;
  taken.add(free);
  return free;
}
