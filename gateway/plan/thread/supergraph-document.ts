import {
  Kind,
  parse,
  type ConstDirectiveNode,
  type ConstValueNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  type NamedTypeNode,
  type ObjectTypeDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';

/** An object or interface type of a supergraph. */
export type FieldsType = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/** A supergraph SDL as nodes, with what its `join__` directives say. */
export interface SupergraphDocument {
  document: DocumentNode;
  types: ReadonlyMap<string, FieldsType>;
  /** Names of subgraphs by their value in the enum `join__Graph`. */
  graphs: ReadonlyMap<string, string>;
}

export function readSupergraphDocument(sdl: string): SupergraphDocument {
  const document = parse(sdl, { noLocation: true });
  const types = new Map<string, FieldsType>();
  const graphs = new Map<string, string>();
  for (const node of document.definitions) {
    if (isFieldsType(node)) types.set(node.name.value, node);
    if (node.kind !== Kind.ENUM_TYPE_DEFINITION || node.name.value !== 'join__Graph') continue;
    for (const value of node.values ?? []) {
      const name = value.directives?.flatMap((directive) => textArgument(directive, 'name') ?? [])[0];
      graphs.set(value.name.value, name ?? value.name.value);
    }
  }
  return { document, types, graphs };
}

export function isFieldsType(node: { kind: Kind }): node is FieldsType {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;
}

/** Applications of one directive, e.g. `join__field`. */
export function applied(
  node: { directives?: readonly ConstDirectiveNode[] | undefined },
  name: string,
): ConstDirectiveNode[] {
  return node.directives?.filter((directive) => directive.name.value === name) ?? [];
}

export function argument(directive: ConstDirectiveNode, name: string): ConstValueNode | undefined {
  return directive.arguments?.find((node) => node.name.value === name)?.value;
}

/** A string or enum argument. */
export function textArgument(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = argument(directive, name);
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}

/** Whether a `join__type` has a key its subgraph resolves entities by. */
export function isResolvable(joinType: ConstDirectiveNode): boolean {
  const value = argument(joinType, 'resolvable');
  return value === undefined || isTrue(value);
}

export function isTrue(value: ConstValueNode | undefined): boolean {
  return value?.kind === Kind.BOOLEAN && value.value;
}

/** A field set like `id dims { w }`, with or without braces around it. */
export function parseFieldSet(text: string): SelectionSetNode {
  const [node] = parse(text.trim().startsWith('{') ? text : `{${text}}`, { noLocation: true }).definitions;
  if (node?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`"${text}" is no field set.`);
  return node.selectionSet;
}

/** The name of a field's type without list and non-null. */
export function namedType(field: FieldDefinitionNode): string {
  let node: TypeNode = field.type;
  while (node.kind !== Kind.NAMED_TYPE) node = node.type;
  return (node satisfies NamedTypeNode).name.value;
}

/** Whether a type says it implements an interface; federation lists indirect ones, too. */
export function implementsInterface(type: FieldsType, name: string): boolean {
  return type.interfaces?.some((node) => node.name.value === name) ?? false;
}
