import {
  buildSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  parse,
  print,
  printSchema,
  visit,
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { SautiError } from '../../platform/errors';
import type { Ref } from './field-sets';
import { createRandom, type Random } from './random';
import type { HashSupergraph } from './supergraphs/compose';
import type { HashWorld } from './world';

/** Who asks: undefined for nobody. A scope that begins with `p` stands for a policy as well. */
export type Scopes = readonly string[] | undefined;

/** A supergraph with rules by chance, which only its gateway keeps, and one unsplit schema that keeps them. */
export interface GuardedSupergraph extends HashSupergraph {
  /** Sets who asks the unsplit schema. */
  askAs(scopes: Scopes): void;
}

/** A rule as it is written, and for whom it holds. */
interface Guard {
  text: string;
  holds: (scopes: Scopes) => boolean;
}

const has =
  (...needed: readonly string[]) =>
  (scopes: Scopes): boolean =>
    needed.every((scope) => scopes?.includes(scope) ?? false);

const GUARDS: readonly Guard[] = [
  { text: '@authenticated', holds: (scopes) => scopes !== undefined },
  { text: '@requiresScopes(scopes: [["a"]])', holds: has('a') },
  {
    text: '@requiresScopes(scopes: [["a", "b"], ["c"]])',
    holds: (scopes) => has('a', 'b')(scopes) || has('c')(scopes),
  },
  { text: '@policy(policies: [["p1"]])', holds: has('p1') },
];

/** Everybody these rules tell apart; the last one may do everything. */
export const CALLERS: readonly Scopes[] = [undefined, [], ['a'], ['b', 'p1'], ['a', 'b'], ['c'], ['a', 'c', 'p1']];

const LINKS = `schema
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY) { query: Query }
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
scalar requiresScopes__Scope
scalar policy__Policy`;

/** Puts rules on fields, object types, scalars and enums of a supergraph; on interfaces those that composition would put there. */
export function guarded(supergraph: HashSupergraph, seed: number): GuardedSupergraph {
  const guards = new Map<string, Guard>();
  const sdl = print(guardedDocument(parse(supergraph.sdl), createRandom(seed), guards));
  const { unsplit, askAs } = guardedUnsplit(supergraph, guards);
  return { ...supergraph, sdl, unsplit, askAs };
}

function guardedDocument(document: DocumentNode, random: Random, guards: Map<string, Guard>): DocumentNode {
  const roots = new Set(['Query', 'Mutation', 'Subscription']);
  const mark = <Node extends { directives?: readonly ConstDirectiveNode[] | undefined }>(
    node: Node,
    coordinate: string,
    share: number,
  ): Node => {
    if (coordinate.includes('__') || !random.chance(share)) return node;
    const guard = random.pick(GUARDS);
    guards.set(coordinate, guard);
    return { ...node, directives: [...(node.directives ?? []), directiveOf(guard)] };
  };
  const marked = visit(document, {
    ScalarTypeDefinition: (node) => mark(node, node.name.value, 0.15),
    EnumTypeDefinition: (node) => mark(node, node.name.value, 0.15),
    ObjectTypeDefinition(node) {
      const type = node.name.value;
      const fields = node.fields?.map((field) =>
        mark(field, `${type}.${field.name.value}`, roots.has(type) ? 0.08 : 0.15),
      );
      return mark({ ...node, ...(fields ? { fields } : {}) }, type, roots.has(type) ? 0 : 0.08);
    },
  });
  return withLinks(withInterfaces(marked, guards));
}

/** What composition puts on interfaces: something of each kind that an implementation has. */
function withInterfaces(document: DocumentNode, guards: ReadonlyMap<string, Guard>): DocumentNode {
  const implementations = new Map<string, string[]>();
  for (const node of document.definitions)
    if (node.kind === Kind.OBJECT_TYPE_DEFINITION)
      for (const { name } of node.interfaces ?? [])
        implementations.set(name.value, [...(implementations.get(name.value) ?? []), node.name.value]);
  return visit(document, {
    InterfaceTypeDefinition(node) {
      const objects = implementations.get(node.name.value) ?? [];
      const allOf = (suffix: string): ConstDirectiveNode[] =>
        [...new Set(objects.flatMap((object) => guards.get(`${object}${suffix}`) ?? []))].map(directiveOf);
      return {
        ...node,
        directives: [...(node.directives ?? []), ...allOf('')],
        fields: node.fields?.map((field) => ({
          ...field,
          directives: [...(field.directives ?? []), ...allOf(`.${field.name.value}`)],
        })),
      };
    },
  });
}

function withLinks(document: DocumentNode): DocumentNode {
  const [links, ...others] = parse(LINKS, { noLocation: true }).definitions;
  const definitions = document.definitions.map((node) =>
    node.kind === Kind.SCHEMA_DEFINITION && links?.kind === Kind.SCHEMA_DEFINITION
      ? { ...node, directives: [...(node.directives ?? []), ...(links.directives ?? [])] }
      : node,
  );
  return { ...document, definitions: [...definitions, ...others] };
}

function directiveOf({ text }: Guard): ConstDirectiveNode {
  const [scalar] = parse(`scalar S ${text}`, { noLocation: true }).definitions;
  return (scalar as { directives?: readonly ConstDirectiveNode[] }).directives![0]!;
}

/** One schema in which what is not for the caller fails, so that graphql-js decides what becomes null. */
function guardedUnsplit(
  { apiSchema, world }: { apiSchema: GraphQLSchema; world: HashWorld },
  guards: ReadonlyMap<string, Guard>,
): { unsplit: GraphQLSchema; askAs: (scopes: Scopes) => void } {
  let caller: Scopes;
  const check = (...coordinates: readonly string[]): void => {
    for (const each of coordinates)
      if (!(guards.get(each)?.holds(caller) ?? true))
        throw new SautiError('FORBIDDEN', `${each} is not for the caller.`);
  };
  const unsplit = buildSchema(printSchema(apiSchema));
  for (const type of Object.values(unsplit.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isAbstractType(type)) {
      type.resolveType = (object: Ref) => {
        check(object.type);
        return object.type;
      };
    }
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const returned = getNamedType(field.type);
      field.resolve = (parent: Ref | undefined, args: object) => {
        check(`${type.name}.${field.name}`, type.name, ...(isAbstractType(returned) ? [] : [returned.name]));
        const object = parent ?? { type: type.name, n: 0 };
        return world.valueOf(object, field.name, args, world.requiredOf(object, field.name));
      };
    }
  }
  return { unsplit, askAs: (scopes) => (caller = scopes) };
}
