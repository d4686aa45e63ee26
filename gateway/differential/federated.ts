import { Kind } from 'graphql';
import { silentLogger } from '../../platform/logger';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import type { FieldDefinition, SubgraphDefinition, TypeDefinition } from './definitions';
import { pickFields, type Ref } from './field-sets';
import type { HashWorld } from './world';

type FieldResolver = (parent: Ref | undefined, args: object) => unknown;

/** A subgraph that answers out of the world, with what it may know: representations, and no @external fields. */
export function hashSubgraph(
  definition: SubgraphDefinition,
  all: readonly SubgraphDefinition[],
  world: HashWorld,
): Subgraph {
  const resolvers: Record<string, object> = {};
  for (const type of definition.types.values()) resolvers[type.name] = resolversOf(type, definition, all, world);
  for (const union of definition.unions.keys()) resolvers[union] = { __resolveType: typeOf };
  return buildSubgraph({
    name: definition.name,
    typeDefs: definition.typeDefs,
    resolvers,
    createContext: () => ({}),
    logger: silentLogger,
    ready: async () => {},
  });
}

function typeOf({ type }: Ref): string {
  return type;
}

function resolversOf(
  type: TypeDefinition,
  definition: SubgraphDefinition,
  all: readonly SubgraphDefinition[],
  world: HashWorld,
): object {
  const reference = {
    // Async, so that one bad representation does not fail the others.
    __resolveReference: async (representation: Record<string, unknown>) => world.find(definition, representation),
  };
  const isEntity = type.keys.some(({ isResolvable }) => isResolvable);
  if (type.isInterface) return { __resolveType: typeOf, ...(isEntity ? reference : {}) };
  const fields = [...type.fields.values()].map((field) => {
    const resolver = isForeign(type, field, definition, all) ? refuse : resolverOf(type, field, definition, world);
    return [field.name, resolver] as const;
  });
  return { ...Object.fromEntries(fields), ...(isEntity ? reference : {}) };
}

function resolverOf(
  type: TypeDefinition,
  { name, requires }: FieldDefinition,
  definition: SubgraphDefinition,
  world: HashWorld,
): FieldResolver {
  // What is provided on the way to the entity need not be sent back in a representation.
  const isProvided = requires?.selections.every(
    (node) => node.kind === Kind.FIELD && isKeyOrProvided(node.name.value, definition),
  );
  return (parent, args) => {
    const object = parent ?? { type: type.name, n: 0 };
    if (!requires) return world.valueOf(object, name, args);
    if (object.given) return world.valueOf(object, name, args, pickFields(object.given, requires));
    if (!isProvided) throw new Error(`${type.name}.${name} was asked for without what it requires.`);
    return world.valueOf(object, name, args, world.requiredOf(object, name));
  };
}

const refuse: FieldResolver = () => {
  throw new Error('This subgraph does not know this field: it is external or overridden.');
};

/** Whether the subgraph must never be asked for the field: it is @external without being provided, or was taken over. */
function isForeign(
  type: TypeDefinition,
  field: FieldDefinition,
  definition: SubgraphDefinition,
  all: readonly SubgraphDefinition[],
): boolean {
  const isOverridden = all.some(
    ({ types }) => types.get(type.name)?.fields.get(field.name)?.overrides === definition.name,
  );
  if (isOverridden) return true;
  return field.isExternal && !isKeyOrProvided(field.name, definition);
}

function isKeyOrProvided(name: string, { types }: SubgraphDefinition): boolean {
  const sets = [...types.values()].flatMap(({ keys, fields }) => [
    ...keys.map((key) => key.fields),
    ...[...fields.values()].flatMap(({ provides }) => provides ?? []),
  ]);
  return sets.some((set) => JSON.stringify(set).includes(`"value":"${name}"`));
}
