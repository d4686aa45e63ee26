import {
  defaultFieldResolver,
  getNamedType,
  isObjectType,
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import { SautiError } from '../errors';
import { distinctRules, holds, refusalText, RULE_KINDS, ruleOf, type Rule } from '../identity/rules';
import { SIGN_IN_FIRST, type Viewer } from '../identity/viewer';
import { federationNames } from './federation-names';
import { keyCoordinates } from './representations';

/** Throws UNAUTHENTICATED or FORBIDDEN when a caller may not be shown entities of a type. */
export type CheckType = (typename: string, context: object) => void;

type Resolve = GraphQLFieldResolver<unknown, object>;

/**
 * Keeps `@authenticated` and `@requiresScopes` of a subgraph's own schema at its resolvers, although the gateway has done
 * so before; what holds of `@policy` only the gateway knows. Fields that make keys are left out: the gateway needs them
 * to get from one subgraph to another, for callers who may see what is there. `viewerOf` knows a request by its context.
 */
export function guardFields(
  schema: GraphQLSchema,
  document: DocumentNode,
  viewerOf: (context: object) => Viewer | null,
): CheckType {
  const rules = readRules(document);
  const keys = keyCoordinates(document, schema);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const demanded = distinctRules(
        [type.name, coordinate, getNamedType(field.type).name].flatMap((each) => rules.get(each) ?? []),
      );
      if (demanded.length === 0 || keys.has(coordinate)) continue;
      const guarded =
        (resolve: Resolve): Resolve =>
        (source, args, context, info) => {
          require(demanded, coordinate, viewerOf(context));
          return resolve(source, args, context, info);
        };
      field.resolve = guarded((field.resolve as Resolve | undefined) ?? defaultFieldResolver);
      if (field.subscribe) field.subscribe = guarded(field.subscribe as Resolve);
    }
  }
  return (typename, context) => require(rules.get(typename) ?? [], typename, viewerOf(context));
}

function require(rules: readonly Rule[], coordinate: string, viewer: Viewer | null): void {
  if (rules.every((rule) => holds(rule, viewer, NO_POLICIES))) return;
  if (!viewer) throw new SautiError('UNAUTHENTICATED', SIGN_IN_FIRST);
  const broken = rules.filter((rule) => !holds(rule, viewer, NO_POLICIES));
  throw new SautiError('FORBIDDEN', refusalText(coordinate, broken));
}

/** Rules about policies are not read. */
const NO_POLICIES: ReadonlySet<string> = new Set();

/** The rules of types and fields, by `Type` and `Type.field`. */
function readRules(document: DocumentNode): ReadonlyMap<string, readonly Rule[]> {
  const nameOf = federationNames(document);
  const rules = new Map<string, readonly Rule[]>();
  const add = (coordinate: string, directives: readonly ConstDirectiveNode[] = []): void => {
    const found = directives.flatMap((node) => {
      const kind = RULE_KINDS.find((each) => each !== 'policy' && nameOf(each) === node.name.value);
      return kind ? [ruleOf(kind, node)] : [];
    });
    if (found.length > 0) rules.set(coordinate, [...(rules.get(coordinate) ?? []), ...found]);
  };
  for (const node of document.definitions) {
    if (!('name' in node) || !node.name || !('directives' in node)) continue;
    add(node.name.value, node.directives as readonly ConstDirectiveNode[]);
    if (!('fields' in node)) continue;
    for (const field of node.fields ?? []) add(`${node.name.value}.${field.name.value}`, field.directives);
  }
  return rules;
}
