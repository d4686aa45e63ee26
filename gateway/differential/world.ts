import type { GraphQLSchema, SelectionSetNode } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { SubgraphDefinition, TypeDefinition } from './definitions';
import type { Facts } from './facts';
import { MissingField, pickFields, selectFields, type Ref } from './field-sets';
import { canonical, hash } from './random';
import { failsAt, makeValue, type Failures } from './values';

/**
 * A world in which every value is a function of its place: owner type, number of the object, field, arguments and seed.
 * So the unsplit schema and each subgraph agree on everything without sharing any data.
 */
export interface HashWorld {
  /** The mutations run since `reset`, in order. */
  readonly mutations: readonly string[];
  /** Another seed changes all values but those of keys. `failures` says where resolvers throw now and then. */
  reset(seed: number, failures: Failures): void;
  /** A field's value; objects are Refs. `required` is what the field's @requires selects. Throws like a resolver may. */
  valueOf(object: Ref, field: string, args: object, required?: unknown): unknown;
  /** What a field's @requires selects, as the unsplit schema knows it; undefined when it has none. */
  requiredOf(object: Ref, field: string): unknown;
  /** The entity that a representation means in a subgraph. Throws unless its resolvable keys mean exactly one. */
  find(subgraph: SubgraphDefinition, representation: Record<string, unknown>): Ref;
}

/** Makes the world of one supergraph. */
export function createHashWorld(fullSchema: GraphQLSchema, facts: Facts): HashWorld {
  const mutationType = fullSchema.getMutationType()?.name;
  const indexes = new Map<SelectionSetNode, Map<string, number>>();
  const mutations: string[] = [];
  let seed = 0;
  let failures: Failures = 'none';

  const valueOf: HashWorld['valueOf'] = ({ type, n }, field, args, required) => {
    const owner = facts.ownerOf(type, field);
    const isKeyPart = facts.isKeyPart(owner, field);
    const order = type === mutationType ? mutations.push(`${field} ${canonical(args)}`) : 0;
    const place = [isKeyPart ? '' : seed, owner, n, field, canonical(args), canonical(required), order].join('|');
    const chance = hash(place);
    const shape = facts.shapeOf(owner, field);
    if (!isKeyPart && !facts.isMentioned(field) && failsAt(shape, chance, failures))
      throw new SautiError('FORBIDDEN', `${owner}.${field} of ${n} is not for you.`);
    return makeValue(shape, chance, { facts, isKeyPart, field, n });
  };
  const unsplitValue = (object: Ref, field: string, args: object): unknown =>
    valueOf(object, field, args, requiredOf(object, field));
  const requiredOf = (object: Ref, field: string): unknown => {
    const set = facts.requiresOf(object.type, field);
    return set && selectFields(fullSchema, object, set, unsplitValue);
  };
  const indexOf = (key: SelectionSetNode, type: string): Map<string, number> => {
    const known = indexes.get(key);
    if (known) return known;
    const numbers = facts.numbersOf(type) ?? [];
    const entries = numbers.map((n) => {
      const selected = selectFields(fullSchema, { type: facts.concreteOf(type, n), n }, key, unsplitValue);
      return [canonical(selected), n] as const;
    });
    const index = new Map(entries);
    if (index.size !== numbers.length) throw new Error(`A key of ${type} does not tell its entities apart.`);
    indexes.set(key, index);
    return index;
  };

  return {
    mutations,
    reset(newSeed, newFailures) {
      seed = newSeed;
      failures = newFailures;
      mutations.length = 0;
    },
    valueOf,
    requiredOf,
    find(subgraph, representation) {
      const typeName = String(representation['__typename']);
      const type = subgraph.types.get(typeName);
      if (!type) throw new Error(`${subgraph.name} has no type ${typeName}.`);
      const found = new Set(matches(type, representation, (key) => indexOf(key, typeName)));
      const [n] = found;
      if (n === undefined || n < 0 || found.size !== 1)
        throw new Error(`${subgraph.name} knows ${found.size} entities that are ${canonical(representation)}.`);
      return { type: facts.concreteOf(typeName, n), n, given: representation };
    },
  };
}

/** The numbers that the complete resolvable keys of a representation mean; -1 for one that is nobody's. */
function* matches(
  type: TypeDefinition,
  representation: Record<string, unknown>,
  indexOf: (key: SelectionSetNode) => Map<string, number>,
): Generator<number> {
  for (const { fields, isResolvable } of type.keys) {
    if (!isResolvable) continue;
    try {
      yield indexOf(fields).get(canonical(pickFields(representation, fields))) ?? -1;
    } catch (error) {
      if (!(error instanceof MissingField)) throw error;
    }
  }
}
