import {
  isEnumType,
  isInterfaceType,
  isObjectType,
  Kind,
  type GraphQLSchema,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';
import type { FieldDefinition, SubgraphDefinition, TypeDefinition } from './definitions';

/** What values of a field all subgraphs that define it can return. */
export type Shape = { isNonNull: boolean } & (
  | { kind: 'list'; item: Shape }
  | { kind: 'scalar'; name: string }
  | { kind: 'enum'; name: string; values: readonly string[] }
  | { kind: 'object'; types: readonly string[] }
);

/** Entities of a type that stands alone; and for each implementation of an entity interface. */
const ENTITIES_PER_TYPE = 5;

/** What the definitions of all subgraphs together say about types and fields. */
export interface Facts {
  /** The type under whose name a field's values are made: the entity interface for the fields that it has. */
  ownerOf(type: string, field: string): string;
  /** Numbers of the entities of an object type or entity interface; null for a type without a key. */
  numbersOf(type: string): readonly number[] | null;
  /** The object type of an entity that is known by its interface. */
  concreteOf(type: string, n: number): string;
  shapeOf(owner: string, field: string): Shape;
  /** Whether the field is part of a key: it has one value for ever. */
  isKeyPart(owner: string, field: string): boolean;
  /** Whether a key, @requires or @provides names the field, or a field above it. */
  isMentioned(field: string): boolean;
  /** What the field is made of when it has @requires somewhere. */
  requiresOf(type: string, field: string): SelectionSetNode | undefined;
}

/** Gathers the facts of one supergraph. `fullSchema` has all types, `apiSchema` those that clients see. */
export function gatherFacts(
  fullSchema: GraphQLSchema,
  apiSchema: GraphQLSchema,
  definitions: readonly SubgraphDefinition[],
): Facts {
  const allTypes = definitions.flatMap(({ types }) => [...types.values()]);
  const families = new Map<string, string[]>();
  for (const { name, isInterface, keys } of allTypes) {
    const type = fullSchema.getType(name);
    if (isInterface && keys.length > 0 && isInterfaceType(type))
      families.set(
        name,
        fullSchema.getPossibleTypes(type).map((possible) => possible.name),
      );
  }
  const familyOf = (type: string): string | undefined =>
    families.has(type) ? type : [...families].find(([, members]) => members.includes(type))?.[0];
  const hasField = (type: string, field: string): boolean =>
    allTypes.some(({ name, fields }) => name === type && fields.has(field));
  const ownerOf = memoize((type: string, field: string) => {
    const family = familyOf(type);
    return family && hasField(family, field) ? family : type;
  });
  const entities = new Set(allTypes.filter(({ keys }) => keys.length > 0).map(({ name }) => name));
  const keyParts = collectKeyParts(fullSchema, allTypes, ownerOf);
  const mentioned = collectMentioned(allTypes);

  return {
    ownerOf,
    isKeyPart: (owner, field) => keyParts.has(`${owner}.${field}`),
    isMentioned: (field) => mentioned.has(field),
    concreteOf: (type, n) => {
      const members = families.get(type);
      return members ? members[n % members.length]! : type;
    },
    numbersOf: (type) => {
      const family = familyOf(type);
      const members = family && families.get(family);
      if (!members) return entities.has(type) ? range(ENTITIES_PER_TYPE) : null;
      const numbers = range(ENTITIES_PER_TYPE * members.length);
      return type === family ? numbers : numbers.filter((n) => members[n % members.length] === type);
    },
    shapeOf: memoize((owner: string, field: string) => {
      const owners = [owner, ...(families.get(owner) ?? [])];
      const shapes = definitions.flatMap((definition) =>
        owners.flatMap((name) => {
          const type = definition.types.get(name)?.fields.get(field)?.type;
          return type ? [readShape(type, definition, fullSchema)] : [];
        }),
      );
      if (shapes.length === 0) throw new Error(`No subgraph defines ${owner}.${field}.`);
      return visible(shapes.reduce(narrow), apiSchema, `${owner}.${field}`);
    }),
    requiresOf: memoize((type: string, field: string) => {
      const owners = [type, familyOf(type)];
      const fields = allTypes.filter(({ name }) => owners.includes(name)).map(({ fields }) => fields.get(field));
      return fields.find((candidate) => candidate?.requires)?.requires;
    }),
  };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function memoize<T>(compute: (type: string, field: string) => T): (type: string, field: string) => T {
  const known = new Map<string, T>();
  return (type, field) => {
    const key = `${type}.${field}`;
    if (!known.has(key)) known.set(key, compute(type, field));
    return known.get(key)!;
  };
}

/** `Owner.field` for every field that a key selects, however deep. */
function collectKeyParts(
  schema: GraphQLSchema,
  types: readonly TypeDefinition[],
  ownerOf: Facts['ownerOf'],
): Set<string> {
  const parts = new Set<string>();
  const walk = (typeName: string, set: SelectionSetNode): void => {
    for (const node of set.selections) {
      if (node.kind !== Kind.FIELD) throw new Error(`A key of ${typeName} has a fragment; this world knows none.`);
      parts.add(`${ownerOf(typeName, node.name.value)}.${node.name.value}`);
      const type = schema.getType(typeName);
      const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
      if (node.selectionSet && field) walk(String(field.type).replace(/[[\]!]/g, ''), node.selectionSet);
    }
  };
  for (const { name, keys } of types) for (const key of keys) walk(name, key.fields);
  return parts;
}

function collectMentioned(types: readonly TypeDefinition[]): Set<string> {
  const names = new Set<string>();
  const walk = (set: SelectionSetNode | undefined): void => {
    for (const node of set?.selections ?? []) {
      if (node.kind === Kind.FIELD) names.add(node.name.value);
      if ('selectionSet' in node) walk(node.selectionSet);
    }
  };
  for (const { keys, fields } of types) {
    for (const key of keys) walk(key.fields);
    for (const { requires, provides } of fields.values() as Iterable<FieldDefinition>)
      [requires, provides].forEach(walk);
  }
  return names;
}

function readShape(type: TypeNode, definition: SubgraphDefinition, schema: GraphQLSchema): Shape {
  if (type.kind === Kind.NON_NULL_TYPE) return { ...readShape(type.type, definition, schema), isNonNull: true };
  if (type.kind === Kind.LIST_TYPE)
    return { isNonNull: false, kind: 'list', item: readShape(type.type, definition, schema) };
  const name = type.name.value;
  const values = definition.enums.get(name);
  if (values) return { isNonNull: false, kind: 'enum', name, values };
  const types = possibleTypes(name, definition, schema);
  return types ? { isNonNull: false, kind: 'object', types } : { isNonNull: false, kind: 'scalar', name };
}

/** Object types of the supergraph that this subgraph can return for an object, interface or union type. */
function possibleTypes(name: string, { types, unions }: SubgraphDefinition, schema: GraphQLSchema): string[] | null {
  const members = unions.get(name);
  if (members) return [...members];
  const type = types.get(name);
  if (!type) return null;
  const abstract = schema.getType(name);
  if (type.isInterfaceObject && isInterfaceType(abstract)) return schema.getPossibleTypes(abstract).map(String);
  if (!type.isInterface) return [name];
  return [...types.values()]
    .filter((other) => !other.isInterface && other.interfaces.includes(name))
    .map((other) => other.name);
}

/** What fits both definitions of one field. */
function narrow(a: Shape, b: Shape): Shape {
  const isNonNull = a.isNonNull || b.isNonNull;
  if (a.kind === 'list' && b.kind === 'list') return { isNonNull, kind: 'list', item: narrow(a.item, b.item) };
  if (a.kind === 'enum' && b.kind === 'enum')
    return { ...a, isNonNull, values: a.values.filter((value) => b.values.includes(value)) };
  if (a.kind === 'object' && b.kind === 'object')
    return { isNonNull, kind: 'object', types: a.types.filter((type) => b.types.includes(type)) };
  return { ...a, isNonNull };
}

/** The part of a shape that clients may see. */
function visible(shape: Shape, api: GraphQLSchema, field: string): Shape {
  if (shape.kind === 'list') return { ...shape, item: visible(shape.item, api, field) };
  if (shape.kind === 'object') {
    const types = shape.types.filter((type) => api.getType(type)).sort();
    if (types.length === 0) throw new Error(`The subgraphs that define ${field} have no type in common.`);
    return { ...shape, types };
  }
  if (shape.kind === 'enum') {
    const type = api.getType(shape.name);
    return { ...shape, values: shape.values.filter((value) => isEnumType(type) && type.getValue(value)) };
  }
  return shape;
}
