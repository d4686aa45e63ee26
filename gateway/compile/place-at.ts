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

/** Where the objects at a query path are, and their declared type. */
export interface QueryPlace {
  type: GraphQLCompositeType;
  /** Response names, and `@` for each level of a list; the last of them may say which types fit (`@|[Book]`). */
  path: string[];
}

/** Finds the place of a query path, which names fields by their response names and types as `... on T`. */
export function placeAt(
  schema: GraphQLSchema,
  rootType: GraphQLCompositeType,
  selection: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  queryPath: readonly string[],
): QueryPlace {
  let type = rootType;
  const path: string[] = [];
  let selections: readonly SelectionSetNode[] = [selection];
  for (const key of queryPath) {
    if (key.startsWith('... on ')) {
      const condition = key.slice('... on '.length);
      const narrowed = schema.getType(condition);
      if (isCompositeType(narrowed)) type = narrowed;
      const last = path.pop();
      if (last !== undefined) path.push(`${last.replace(/\|\[.*\]$/, '')}|[${condition}]`);
      continue;
    }
    const found = selections.flatMap((set) => fieldsNamed(schema, type, set, fragments, key));
    const [first] = found;
    if (!first) throw new Error(`Nothing in the operation has the name ${key}.`);
    type = first.type;
    path.push(key, ...first.lists);
    selections = found.flatMap(({ node }) => node.selectionSet ?? []);
  }
  return { type, path };
}

function fieldsNamed(
  schema: GraphQLSchema,
  parent: GraphQLCompositeType,
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  name: string,
): { node: FieldNode; type: GraphQLCompositeType; lists: string[] }[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) {
      if ((node.alias ?? node.name).value !== name || !('getFields' in parent)) return [];
      const declared = parent.getFields()[node.name.value]?.type;
      const type = getNamedType(declared);
      // In its written form each list has a bracket.
      return isCompositeType(type)
        ? [
            {
              node,
              type,
              lists:
                String(declared)
                  .match(/\[/g)
                  ?.map(() => '@') ?? [],
            },
          ]
        : [];
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    if (!fragment) return [];
    const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
    return fieldsNamed(schema, isCompositeType(condition) ? condition : parent, fragment.selectionSet, fragments, name);
  });
}
