import {
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** How large a selection is with its fragments expanded. */
export interface SelectionSize {
  /** Levels of fields; those below `__schema` and `__type` do not count, graphql-js bounds them. */
  depth: number;
  aliases: number;
  selections: number;
}

export interface DocumentSize {
  /** Where a selection begins: the operations, and the fragments that none of them uses. */
  roots: { node: OperationDefinitionNode | FragmentDefinitionNode; size: SelectionSize }[];
  /** A fragment that spreads itself; then the sizes are too small. */
  cycle: FragmentDefinitionNode | undefined;
}

/** Measures each fragment once, so the time is linear in the document however often fragments are spread. */
export function measureDocument(document: DocumentNode): DocumentSize {
  const measure = new Measure(fragmentsOf(document));
  const roots: DocumentSize['roots'] = [];
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) roots.push({ node, size: measure.selection(node.selectionSet) });
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION && !measure.knows(node))
      roots.push({ node, size: measure.fragment(node) });
  return { roots, cycle: measure.cycle };
}

class Measure {
  cycle: FragmentDefinitionNode | undefined;
  private readonly measured = new Map<FragmentDefinitionNode, SelectionSize>();
  private readonly open = new Set<FragmentDefinitionNode>();

  constructor(private readonly fragments: Fragments) {}

  knows(fragment: FragmentDefinitionNode): boolean {
    return this.measured.has(fragment);
  }

  fragment(fragment: FragmentDefinitionNode): SelectionSize {
    const known = this.measured.get(fragment);
    if (known) return known;
    if (this.open.has(fragment)) {
      this.cycle ??= fragment;
      return { depth: 0, aliases: 0, selections: 0 };
    }
    this.open.add(fragment);
    const size = this.selection(fragment.selectionSet);
    this.open.delete(fragment);
    this.measured.set(fragment, size);
    return size;
  }

  selection({ selections }: SelectionSetNode): SelectionSize {
    const total: SelectionSize = { depth: 0, aliases: 0, selections: 0 };
    for (const node of selections) {
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.fragments.get(node.name.value) : undefined;
      const set = node.kind === Kind.FRAGMENT_SPREAD ? undefined : node.selectionSet;
      const inner = fragment ? this.fragment(fragment) : set && this.selection(set);
      const isField = node.kind === Kind.FIELD;
      const isIntrospection = isField && node.name.value.startsWith('__');
      total.depth = Math.max(total.depth, isIntrospection ? 0 : (isField ? 1 : 0) + (inner?.depth ?? 0));
      total.aliases += (inner?.aliases ?? 0) + (isField && node.alias ? 1 : 0);
      total.selections += (inner?.selections ?? 0) + (isField ? 1 : 0);
    }
    return total;
  }
}

/**
 * Counts pairs of fields with one response name at one place, and of fragments spread at one place; graphql-js compares
 * each when it looks for fields that cannot be merged. Stops above `max`. Takes time by the number of selections with
 * fragments expanded: only for a document without cycles whose size was measured.
 */
export function countRepeats(document: DocumentNode, { roots }: DocumentSize, max: number): number {
  const fragments = fragmentsOf(document);
  let pairs = 0;
  const addPlace = (sets: readonly SelectionSetNode[]): void => {
    const names = new Map<string, { times: number; sets: SelectionSetNode[] }>();
    let spreads = 0;
    const collect = ({ selections }: SelectionSetNode): void => {
      for (const node of selections) {
        if (node.kind === Kind.FIELD) {
          const name = (node.alias ?? node.name).value;
          let known = names.get(name);
          if (!known) names.set(name, (known = { times: 0, sets: [] }));
          known.times++;
          if (node.selectionSet) known.sets.push(node.selectionSet);
          continue;
        }
        if (node.kind === Kind.FRAGMENT_SPREAD) spreads++;
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        if (fragment) collect(fragment.selectionSet);
      }
    };
    sets.forEach(collect);
    pairs += pairsOf(spreads);
    for (const { times } of names.values()) pairs += pairsOf(times);
    for (const { sets: below } of names.values()) {
      if (pairs > max) return;
      if (below.length > 0) addPlace(below);
    }
  };
  for (const { node } of roots) if (pairs <= max) addPlace([node.selectionSet]);
  return pairs;
}

function pairsOf(count: number): number {
  return (count * (count - 1)) / 2;
}

function fragmentsOf(document: DocumentNode): Fragments {
  return new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
}
