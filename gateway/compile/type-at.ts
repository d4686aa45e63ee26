import {
  getNamedType,
  isCompositeType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';

/** The declared type of the objects at a query path (`… on T` and `@` are the planner's marks for types and lists). */
export function typeAt(
  schema: GraphQLSchema,
  rootType: GraphQLCompositeType,
  selection: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  path: readonly string[],
): GraphQLCompositeType {
  let type = rootType;
  let selections: readonly SelectionSetNode[] = [selection];
  for (const key of path) {
    if (key === '@') continue;
    if (key.startsWith('... on ')) {
      const narrowed = schema.getType(key.slice('... on '.length));
      if (isCompositeType(narrowed)) type = narrowed;
      continue;
    }
    const found = selections.flatMap((set) => fieldsNamed(schema, type, set, fragments, key));
    const [first] = found;
    if (!first) throw new Error(`Nothing in the operation has the name ${key}.`);
    type = first.type;
    selections = found.flatMap(({ node }) => node.selectionSet ?? []);
  }
  return type;
}

function fieldsNamed(
  schema: GraphQLSchema,
  parent: GraphQLCompositeType,
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  name: string,
): { node: FieldNode; type: GraphQLCompositeType }[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) {
      if ((node.alias ?? node.name).value !== name || !('getFields' in parent)) return [];
      const type = getNamedType(parent.getFields()[node.name.value]?.type);
      return isCompositeType(type) ? [{ node, type }] : [];
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    if (!fragment) return [];
    const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
    return fieldsNamed(schema, isCompositeType(condition) ? condition : parent, fragment.selectionSet, fragments, name);
  });
}
