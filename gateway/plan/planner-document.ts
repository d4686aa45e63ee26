import {
  isCompositeType,
  isObjectType,
  Kind,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type InlineFragmentNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/**
 * A document that asks for the same, in the words the planner understands best (decision 10): root fragments of
 * mutations are written out, since it would run them first; where all selections were skipped it asks for `__typename`;
 * and a fragment on an abstract type below an interface that some subgraph knows as an object names the object types.
 */
export function plannerDocument(
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  supergraph: { apiSchema: GraphQLSchema; interfaceObjects: ReadonlySet<string> },
): DocumentNode {
  const flat = withoutRootFragments(document, operation);
  const concrete = supergraph.interfaceObjects.size > 0 ? withConcreteFragments(flat, supergraph) : flat;
  return visit(concrete, {
    SelectionSet: (node) => (node.selections.length === 0 ? { ...node, selections: [TYPENAME] } : undefined),
  });
}

function withoutRootFragments(document: DocumentNode, operation: OperationDefinitionNode): DocumentNode {
  if (operation.operation !== OperationTypeNode.MUTATION) return document;
  const fragments = fragmentsIn(document);
  const flatten = (set: SelectionSetNode): SelectionNode[] =>
    set.selections.flatMap((node): SelectionNode[] => {
      if (node.kind === Kind.FIELD || node.directives?.length) return [node];
      const inside = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
      return inside ? flatten(inside.selectionSet) : [];
    });
  const { selectionSet } = operation;
  if (selectionSet.selections.every((node) => node.kind === Kind.FIELD)) return document;
  const flat = { ...operation, selectionSet: { ...selectionSet, selections: flatten(selectionSet) } };
  return { ...document, definitions: document.definitions.map((node) => (node === operation ? flat : node)) };
}

function withConcreteFragments(
  document: DocumentNode,
  { apiSchema, interfaceObjects }: { apiSchema: GraphQLSchema; interfaceObjects: ReadonlySet<string> },
): DocumentNode {
  const fragments = fragmentsIn(document);
  const types = new TypeInfo(apiSchema);
  return visit(
    document,
    visitWithTypeInfo(types, {
      SelectionSet(node) {
        const parent = types.getParentType();
        if (!parent || !(isObjectType(parent) || interfaceObjects.has(parent.name))) return undefined;
        const selections = node.selections.flatMap((selection): SelectionNode[] => {
          const fragment = fragmentOf(selection, fragments);
          const condition = fragment?.typeCondition && apiSchema.getType(fragment.typeCondition.name.value);
          if (!fragment || !isCompositeType(condition) || condition.name === parent.name) return [selection];
          const common = objectTypes(condition, apiSchema).filter((type) =>
            objectTypes(parent, apiSchema).includes(type),
          );
          if (isObjectType(condition)) return common.length > 0 ? [selection] : [];
          return common.map(({ name }) => onType(name, selection, fragment));
        });
        return { ...node, selections };
      },
    }),
  );
}

function fragmentOf(
  node: SelectionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): InlineFragmentNode | FragmentDefinitionNode | undefined {
  if (node.kind === Kind.FRAGMENT_SPREAD) return fragments.get(node.name.value);
  return node.kind === Kind.INLINE_FRAGMENT ? node : undefined;
}

function objectTypes(type: GraphQLCompositeType, schema: GraphQLSchema): readonly GraphQLObjectType[] {
  return isObjectType(type) ? [type] : schema.getPossibleTypes(type);
}

function onType(
  name: string,
  { directives }: SelectionNode,
  { selectionSet }: InlineFragmentNode | FragmentDefinitionNode,
): InlineFragmentNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: name } },
    selectionSet,
    directives: directives ?? [],
  };
}

function fragmentsIn(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
}
