import { Kind, visit, type ASTNode, type DocumentNode, type FieldNode, type OperationDefinitionNode } from 'graphql';
import { argumentsText } from './thread/arguments-text';

export interface RenamedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The response names a client knows, by the names they were replaced with. */
  clientNames: ReadonlyMap<string, string>;
}

/**
 * Gives a response name of its own to every field whose name is taken. The planner selects keys and required fields
 * beside those of the client, by their plain names; where a client uses such a name for another field or with other
 * arguments, it silently drops one of the two, and so it does below interface objects with different fields under one
 * name (decision 10). Fields that can be merged are the same field with the same arguments, so they stay together.
 */
export function renameClashingFields(
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  addedFields: ReadonlyMap<string, readonly string[]>,
): RenamedOperation {
  const taken = new Set<string>(addedFields.keys());
  /** By response name: the fields that clients select under it. */
  const variants = new Map<string, Set<string>>();
  visit(document, {
    ...skipIntrospection,
    Field(node) {
      taken.add(responseName(node)).add(node.name.value);
      if (isIntrospection(node)) return false;
      const name = responseName(node);
      variants.set(name, (variants.get(name) ?? new Set()).add(fieldText(node)));
      return undefined;
    },
  });
  const clientNames = new Map<string, string>();
  const replacements = new Map<string, string>();
  for (const [name, fields] of variants) {
    const kept = keptField(name, fields, addedFields.get(name));
    for (const field of fields) {
      if (field === kept) continue;
      const replacement = freeName(name, taken);
      replacements.set(`${name}: ${field}`, replacement);
      clientNames.set(replacement, name);
    }
  }
  if (replacements.size === 0) return { document, operation, clientNames };

  const replace = <Node extends ASTNode>(root: Node): Node =>
    visit(root, {
      ...skipIntrospection,
      Field: {
        enter: (node) => (isIntrospection(node) ? false : undefined),
        leave(node) {
          const name = replacements.get(`${responseName(node)}: ${fieldText(node)}`);
          return name === undefined ? undefined : { ...node, alias: { kind: Kind.NAME, value: name } };
        },
      },
    });
  const renamed = replace(operation);
  const definitions = document.definitions.map((node) => (node === operation ? renamed : replace(node)));
  return { document: { ...document, definitions }, operation: renamed, clientNames };
}

/** The field that may keep a response name: the one that the planner adds under it, or else the first. */
function keptField(
  name: string,
  fields: ReadonlySet<string>,
  added: readonly string[] | undefined,
): string | undefined {
  if (!added) return [...fields][0];
  return added.length === 1 ? `${name}(${added[0]})` : undefined;
}

/** Equal for fields that can be merged. */
function fieldText(node: FieldNode): string {
  return `${node.name.value}(${argumentsText(node.arguments)})`;
}

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

function freeName(name: string, taken: Set<string>): string {
  let free = `client_${name}`;
  for (let count = 2; taken.has(free); count++) free = `client${count}_${name}`;
  taken.add(free);
  return free;
}
