import {
  getArgumentValues,
  isAbstractType,
  isObjectType,
  Kind,
  type GraphQLNamedType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import { canonical } from './random';

/** An object of a hash world: nothing but which one it is. */
export interface Ref {
  type: string;
  n: number;
  /** The representation that it was found by, in a subgraph. */
  given?: Record<string, unknown>;
}

/** A representation lacks a field that a key or @requires names. */
export class MissingField extends Error {}

/** What a field set selects of a representation. Throws `MissingField`. */
export function pickFields(from: Record<string, unknown>, set: SelectionSetNode): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const node of set.selections) {
    if (node.kind === Kind.INLINE_FRAGMENT) {
      if (!node.typeCondition || node.typeCondition.name.value === from['__typename'])
        Object.assign(picked, pickFields(from, node.selectionSet));
    } else if (node.kind === Kind.FIELD) {
      const name = node.name.value;
      if (!Object.hasOwn(from, name)) throw new MissingField(`"${name}" is missing in ${canonical(from)}.`);
      const nested = node.selectionSet;
      picked[name] = nested
        ? mapItems(from[name], (item) => pickFields(item as Record<string, unknown>, nested))
        : from[name];
    }
  }
  return picked;
}

/** What a field set selects of an object of the unsplit world; `valueOf` knows its fields. */
export function selectFields(
  schema: GraphQLSchema,
  object: Ref,
  set: SelectionSetNode,
  valueOf: (object: Ref, field: string, args: object) => unknown,
): Record<string, unknown> {
  const type = schema.getType(object.type);
  if (!isObjectType(type)) throw new Error(`${object.type} is no object type.`);
  const selected: Record<string, unknown> = {};
  for (const node of set.selections) {
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const condition: GraphQLNamedType | undefined = node.typeCondition
        ? schema.getType(node.typeCondition.name.value)
        : type;
      if (condition === type || (isAbstractType(condition) && schema.isSubType(condition, type)))
        Object.assign(selected, selectFields(schema, object, node.selectionSet, valueOf));
    } else if (node.kind === Kind.FIELD) {
      const name = node.name.value;
      const field = type.getFields()[name];
      const value = field ? valueOf(object, name, getArgumentValues(field, node)) : object.type;
      const nested = node.selectionSet;
      selected[name] = nested ? mapItems(value, (ref) => selectFields(schema, ref as Ref, nested, valueOf)) : value;
    }
  }
  return selected;
}

/** Applies a function to every object in lists of lists; nulls stay. */
function mapItems(value: unknown, change: (item: object) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapItems(item, change));
  return typeof value === 'object' && value !== null ? change(value) : null;
}
