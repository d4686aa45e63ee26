import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Rule } from '../../platform/identity/rules';
import type { Requirements } from './requirements';

/** All rules that some field of an operation may be under, whatever types its objects turn out to have, by `id`. */
export function rulesIn(
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  schema: GraphQLSchema,
  requirements: Requirements,
): readonly Rule[] {
  const found = new Map<string, Rule>();
  const fragments = fragmentsIn(document);
  const seen = new Set<FragmentDefinitionNode>();
  const add = (rules: readonly Rule[]): void => rules.forEach((rule) => found.set(rule.id, rule));
  const visitField = (node: FieldNode, parent: GraphQLCompositeType): void => {
    const field = 'getFields' in parent ? parent.getFields()[node.name.value] : undefined;
    if (!field) return;
    for (const { name } of objectTypes(parent, schema)) add(requirements.ofField(name, node.name.value));
    const type = getNamedType(field.type);
    if (isAbstractType(type)) for (const { name } of schema.getPossibleTypes(type)) add(requirements.ofType(name));
    if (node.selectionSet && isCompositeType(type)) visitSet(node.selectionSet, type);
  };
  const visitSet = ({ selections }: SelectionSetNode, parent: GraphQLCompositeType): void => {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        visitField(node, parent);
        continue;
      }
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      if (!fragment) continue;
      if (fragment.kind === Kind.FRAGMENT_DEFINITION) {
        if (seen.has(fragment)) continue;
        seen.add(fragment);
      }
      const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
      visitSet(fragment.selectionSet, isCompositeType(condition) ? condition : parent);
    }
  };
  const root = schema.getRootType(operation.operation);
  if (root) visitSet(operation.selectionSet, root);
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The object types that an object of a type can have. */
export function objectTypes(type: GraphQLCompositeType, schema: GraphQLSchema): readonly GraphQLObjectType[] {
  return isObjectType(type) ? [type] : schema.getPossibleTypes(type);
}

export function fragmentsIn({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
}
