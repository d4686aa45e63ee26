import {
  isObjectType,
  Kind,
  parse,
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { SautiError } from '../errors';
import { textOf } from '../identity/rules';
import { federationNames } from './federation-names';

/** Representations one `_entities` field takes. The gateway sends more in several requests. */
export const MAX_REPRESENTATIONS = 1_000;

/** What of a representation counts, by field; null for a leaf. */
interface Shape {
  readonly fields: ReadonlyMap<string, Shape | null>;
}

/** What the representations of each entity may hold: its keys, and what its fields require. Only resolvable entities are in it. */
export type EntityShapes = ReadonlyMap<string, Shape>;

/** Reads the entities of a subgraph's schema text. */
export function entityShapes(document: DocumentNode): EntityShapes {
  const nameOf = federationNames(document);
  const sets = new Map<string, SelectionSetNode[]>();
  const entities = new Set<string>();
  for (const node of document.definitions) {
    if (!('fields' in node) || !node.fields) continue;
    const { name, directives = [], fields } = node;
    const keys = directives.filter((each) => each.name.value === nameOf('key'));
    if (keys.some(isResolvable)) entities.add(name.value);
    const required = fields
      .flatMap((field): readonly ConstDirectiveNode[] => field.directives ?? [])
      .filter((each) => each.name.value === nameOf('requires'));
    const found = [...keys, ...required].map(fieldSetOf);
    sets.set(name.value, [...(sets.get(name.value) ?? []), ...found]);
  }
  return new Map([...entities].map((name) => [name, shapeOf(sets.get(name)!)]));
}

/**
 * Makes `_entities` take only what the gateway would send: at most {@link MAX_REPRESENTATIONS} (BAD_USER_INPUT for all of
 * them otherwise), of entities of this subgraph, of which reference resolvers see nothing but keys and required fields.
 * One that is refused, for `check` throws or because it is none, leaves the others alone.
 */
export function guardEntities(
  schema: GraphQLSchema,
  shapes: EntityShapes,
  check: (typename: string, context: object) => void,
): void {
  const field = schema.getQueryType()?.getFields()['_entities'];
  const resolve = field?.resolve as GraphQLFieldResolver<unknown, object, { representations: unknown[] }> | undefined;
  if (!field || !resolve) return;
  const guarded: typeof resolve = (source, { representations }, context, info) => {
    if (representations.length > MAX_REPRESENTATIONS)
      throw new SautiError(
        'BAD_USER_INPUT',
        `At most ${MAX_REPRESENTATIONS} representations, not ${representations.length}.`,
      );
    return representations.map((given): unknown => {
      try {
        const one = ownFieldsOf(given, shapes);
        check(one.__typename, context);
        return (resolve(source, { representations: [one] }, context, info) as unknown[])[0];
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    });
  };
  field.resolve = guarded;
}

function ownFieldsOf(given: unknown, shapes: EntityShapes): { __typename: string } {
  const typename: unknown = isObject(given) ? given['__typename'] : undefined;
  const shape = typeof typename === 'string' ? shapes.get(typename) : undefined;
  if (!shape) throw new SautiError('BAD_USER_INPUT', 'A representation must be of an entity of this subgraph.');
  return reduced(given, shape) as { __typename: string };
}

function reduced(value: unknown, shape: Shape | null): unknown {
  if (Array.isArray(value)) return value.map((item) => reduced(item, shape));
  if (!shape || !isObject(value)) return value;
  const left: Record<string, unknown> = {};
  for (const [name, inner] of shape.fields) if (Object.hasOwn(value, name)) left[name] = reduced(value[name], inner);
  return left;
}

function shapeOf(sets: readonly SelectionSetNode[]): Shape {
  const inside = new Map<string, SelectionSetNode[]>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet);
      if (node.kind !== Kind.FIELD) continue;
      const name = node.name.value;
      inside.set(name, [...(inside.get(name) ?? []), ...(node.selectionSet ? [node.selectionSet] : [])]);
    }
  };
  sets.forEach(collect);
  const fields = [...inside].map(([name, below]) => [name, below.length > 0 ? shapeOf(below) : null] as const);
  return { fields: new Map([['__typename', null], ...fields]) };
}

/** The coordinates of the fields that make keys: the gateway asks for them on behalf of whoever may see something else. */
export function keyCoordinates(document: DocumentNode, schema: GraphQLSchema): ReadonlySet<string> {
  const nameOf = federationNames(document);
  const found = new Set<string>();
  const collect = (typename: string, { selections }: SelectionSetNode): void => {
    const type = schema.getType(typename);
    if (!isObjectType(type)) return;
    for (const node of selections) {
      if (node.kind !== Kind.FIELD) continue;
      found.add(`${typename}.${node.name.value}`);
      const inner = type.getFields()[node.name.value]?.type;
      if (node.selectionSet && inner) collect(String(inner).replace(/[[\]!]/g, ''), node.selectionSet);
    }
  };
  for (const node of document.definitions) {
    if (!('fields' in node)) continue;
    for (const key of node.directives ?? [])
      if (key.name.value === nameOf('key')) collect(node.name.value, fieldSetOf(key));
  }
  return found;
}

function isResolvable({ arguments: given = [] }: ConstDirectiveNode): boolean {
  return !given.some(({ name, value }) => name.value === 'resolvable' && value.kind === Kind.BOOLEAN && !value.value);
}

function fieldSetOf({ arguments: given = [] }: ConstDirectiveNode): SelectionSetNode {
  const fields = given.find(({ name }) => name.value === 'fields')?.value;
  const [definition] = parse(`{${fields ? textOf(fields) : ''}}`, { noLocation: true }).definitions;
  return (definition as OperationDefinitionNode).selectionSet;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
