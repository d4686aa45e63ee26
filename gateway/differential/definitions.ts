import {
  Kind,
  parse,
  type ConstDirectiveNode,
  type EnumTypeDefinitionNode,
  type EnumTypeExtensionNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  type InterfaceTypeExtensionNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  type SelectionSetNode,
  type TypeNode,
  type UnionTypeDefinitionNode,
  type UnionTypeExtensionNode,
} from 'graphql';

/** One subgraph's schema as far as the values of its fields depend on it. */
export interface SubgraphDefinition {
  name: string;
  typeDefs: string;
  /** Object and interface types by name; an interface object counts as what it is written as: an object type. */
  types: ReadonlyMap<string, TypeDefinition>;
  unions: ReadonlyMap<string, readonly string[]>;
  enums: ReadonlyMap<string, readonly string[]>;
}

export interface TypeDefinition {
  name: string;
  isInterface: boolean;
  isInterfaceObject: boolean;
  interfaces: readonly string[];
  /** All keys of the type in this subgraph. */
  keys: readonly { fields: SelectionSetNode; isResolvable: boolean }[];
  fields: ReadonlyMap<string, FieldDefinition>;
}

export interface FieldDefinition {
  name: string;
  type: TypeNode;
  requires: SelectionSetNode | undefined;
  provides: SelectionSetNode | undefined;
  isExternal: boolean;
  /** Name of the subgraph that this field was taken over from. */
  overrides: string | undefined;
}

/** Reads the schema of one subgraph. Throws when the text is no schema. */
export function readDefinition(name: string, typeDefs: string): SubgraphDefinition {
  const types = new Map<string, TypeDefinition>();
  const unions = new Map<string, readonly string[]>();
  const enums = new Map<string, readonly string[]>();
  for (const node of parse(typeDefs, { noLocation: true }).definitions) {
    if (isType(node)) types.set(node.name.value, readType(node));
    if (isUnion(node)) unions.set(node.name.value, node.types?.map((type) => type.name.value) ?? []);
    if (isEnum(node)) enums.set(node.name.value, node.values?.map((value) => value.name.value) ?? []);
  }
  return { name, typeDefs, types, unions, enums };
}

type TypeNodes =
  ObjectTypeDefinitionNode | ObjectTypeExtensionNode | InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode;

function isType(node: { kind: Kind }): node is TypeNodes {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.OBJECT_TYPE_EXTENSION ||
    node.kind === Kind.INTERFACE_TYPE_DEFINITION ||
    node.kind === Kind.INTERFACE_TYPE_EXTENSION
  );
}

function isUnion(node: { kind: Kind }): node is UnionTypeDefinitionNode | UnionTypeExtensionNode {
  return node.kind === Kind.UNION_TYPE_DEFINITION || node.kind === Kind.UNION_TYPE_EXTENSION;
}

function isEnum(node: { kind: Kind }): node is EnumTypeDefinitionNode | EnumTypeExtensionNode {
  return node.kind === Kind.ENUM_TYPE_DEFINITION || node.kind === Kind.ENUM_TYPE_EXTENSION;
}

function readType(node: TypeNodes): TypeDefinition {
  const directives = node.directives ?? [];
  const isTypeExternal = directives.some(({ name }) => name.value === 'external');
  return {
    name: node.name.value,
    isInterface: node.kind === Kind.INTERFACE_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_EXTENSION,
    isInterfaceObject: directives.some(({ name }) => name.value === 'interfaceObject'),
    interfaces: node.interfaces?.map(({ name }) => name.value) ?? [],
    keys: directives
      .filter(({ name }) => name.value === 'key')
      .map((key) => ({ fields: fieldSet(argumentOf(key, 'fields')), isResolvable: isResolvable(key) })),
    fields: new Map(node.fields?.map((field) => [field.name.value, readField(field, isTypeExternal)])),
  };
}

function readField(node: FieldDefinitionNode, isTypeExternal: boolean): FieldDefinition {
  const directive = (name: string): ConstDirectiveNode | undefined =>
    node.directives?.find((candidate) => candidate.name.value === name);
  const requires = directive('requires');
  const provides = directive('provides');
  const override = directive('override');
  return {
    name: node.name.value,
    type: node.type,
    requires: requires && fieldSet(argumentOf(requires, 'fields')),
    provides: provides && fieldSet(argumentOf(provides, 'fields')),
    isExternal: isTypeExternal || directive('external') !== undefined,
    overrides: override && argumentOf(override, 'from'),
  };
}

/** Reads a federation FieldSet. */
function fieldSet(text: string): SelectionSetNode {
  const definition = parse(`{${text}}`, { noLocation: true }).definitions[0];
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new SyntaxError(`This is no field set: ${text}`);
  return definition.selectionSet;
}

function argumentOf(directive: ConstDirectiveNode, name: string): string {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  if (value?.kind !== Kind.STRING) throw new SyntaxError(`@${directive.name.value} needs the text "${name}".`);
  return value.value;
}

function isResolvable(key: ConstDirectiveNode): boolean {
  const value = key.arguments?.find(({ name }) => name.value === 'resolvable')?.value;
  return !(value?.kind === Kind.BOOLEAN && !value.value);
}
