import type { PlanNode } from '@apollo/query-planner';
import {
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

const DIRECTIVE = 'public';

/**
 * Whether all that a plan's fetches select is the same for everybody: each field, or the type it belongs to, is `@public`
 * (docs/subscriptions.md). `schema` is the supergraph's with its directives.
 */
export function selectsOnlyPublic(node: PlanNode | undefined, schema: GraphQLSchema): boolean {
  return fetchesOf(node).every((operation) => {
    const [definition] = parse(operation, { noLocation: true }).definitions as [OperationDefinitionNode];
    const [entities] = definition.selectionSet.selections;
    if (entities?.kind !== Kind.FIELD || entities.name.value !== '_entities' || !entities.selectionSet) return false;
    return isPublicSet(entities.selectionSet, undefined, schema);
  });
}

function fetchesOf(node: PlanNode | undefined): string[] {
  if (!node) return [];
  switch (node.kind) {
    case 'Fetch':
      return [node.operation];
    case 'Flatten':
      return fetchesOf(node.node);
    case 'Parallel':
    case 'Sequence':
      return node.nodes.flatMap((child) => fetchesOf(child));
    default:
      return [''];
  }
}

function isPublicSet(set: SelectionSetNode, type: GraphQLNamedType | undefined, schema: GraphQLSchema): boolean {
  return set.selections.every((node) => {
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const narrowed = node.typeCondition ? schema.getType(node.typeCondition.name.value) : type;
      return isPublicSet(node.selectionSet, narrowed, schema);
    }
    if (node.kind === Kind.FRAGMENT_SPREAD) return false;
    if (node.name.value === '__typename') return true;
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    if (!field || !(isMarked(field.astNode) || isMarked(type?.astNode))) return false;
    const inner = getNamedType(field.type);
    return !node.selectionSet || (isCompositeType(inner) && isPublicSet(node.selectionSet, inner, schema));
  });
}

function isMarked(
  node: { directives?: readonly { name: { value: string } }[] | undefined } | null | undefined,
): boolean {
  return node?.directives?.some(({ name }) => name.value === DIRECTIVE) ?? false;
}
