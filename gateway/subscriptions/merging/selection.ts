import {
  Kind,
  visit,
  type ArgumentNode,
  type DirectiveNode,
  type FieldNode,
  type InlineFragmentNode,
  type SelectionSetNode,
} from 'graphql';

/** A piece of a document in which variables can be renamed: texts at even places, names of variables between them. */
export type Template = readonly string[];

/** One field of a selection set, at any depth. */
interface SelectedField {
  /** Response names that lead to it, with dots between them. */
  path: string;
  /** What encloses it from the outside in, type conditions too, and the field itself: all without selection sets. */
  chain: readonly Template[];
}

/** A selection set with all its fields in a row. */
export type SelectedFields = readonly SelectedField[];

/** Lists the fields of a selection set, of a document that was parsed with locations; undefined when it spreads a fragment. */
export function selectedFields(selectionSet: SelectionSetNode): SelectedFields | undefined {
  const found: SelectedField[] = [];
  const collect = ({ selections }: SelectionSetNode, path: string, outer: readonly Template[]): boolean =>
    selections.every((node) => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return false;
      const chain = [...outer, headOf(node)];
      if (node.kind === Kind.INLINE_FRAGMENT) return collect(node.selectionSet, path, chain);
      const name = (node.alias ?? node.name).value;
      const inner = path === '' ? name : `${path}.${name}`;
      found.push({ path: inner, chain });
      return !node.selectionSet || collect(node.selectionSet, inner, chain);
    });
  return collect(selectionSet, '', []) ? found : undefined;
}

/** The names of all variables in a selection. */
export function variablesIn(fields: SelectedFields): Set<string> {
  return new Set(fields.flatMap(({ chain }) => chain.flatMap((head) => head.filter((_, index) => index % 2 === 1))));
}

/** The text of a field or inline fragment up to its selection set. */
function headOf(node: FieldNode | InlineFragmentNode): Template {
  const { loc } = node;
  if (!loc) throw new Error('The document was parsed without locations.');
  const end = node.selectionSet?.loc?.start ?? loc.end;
  const pieces: string[] = [];
  let { start } = loc;
  const cutOut = (part: ArgumentNode | DirectiveNode): void =>
    void visit(part, {
      Variable({ loc: at, name }) {
        pieces.push(loc.source.body.slice(start, at!.start), name.value);
        start = at!.end;
      },
    });
  if (node.kind === Kind.FIELD) node.arguments?.forEach(cutOut);
  node.directives?.forEach(cutOut);
  return [...pieces, loc.source.body.slice(start, end)];
}

/** A selection with its variables renamed. */
export interface RenamedSelection {
  /** For each field the texts of what encloses it, and its own. */
  chains: readonly (readonly string[])[];
  /** The ways to each path as one text: where these are equal, the same is selected. */
  ways: ReadonlyMap<string, string>;
}

/** Renames the variables of a selection. */
export function renameVariables(fields: SelectedFields, renamed: ReadonlyMap<string, string>): RenamedSelection {
  const chains = fields.map(({ chain }) => chain.map((head) => fill(head, renamed)));
  const ways = new Map<string, Set<string>>();
  for (const [index, { path }] of fields.entries()) {
    const way = chains[index]!.join('{');
    const known = ways.get(path);
    if (known) known.add(way);
    else ways.set(path, new Set([way]));
  }
  return { chains, ways: new Map([...ways].map(([path, texts]) => [path, [...texts].sort().join('\n')])) };
}

/** The union of selections that can stand in one selection set. */
export class MergedSelection {
  private readonly ways = new Map<string, string>();
  private readonly tree: Tree = new Map();

  /**
   * Adds a selection, unless it selects something else under the same path: another field, other arguments, or the same
   * ones under other type conditions. So whatever is answered at a path that a selection has is what it would get alone
   * (GraphQL asks for less: "Field Selection Merging", but to tell what is whose it would take the subgraph's schema).
   */
  add({ chains, ways }: RenamedSelection): boolean {
    for (const [path, text] of ways) if ((this.ways.get(path) ?? text) !== text) return false;
    for (const [path, text] of ways) this.ways.set(path, text);
    for (const chain of chains) insert(this.tree, chain);
    return true;
  }

  /** The text of the selection set: the same for the same fields, whoever selected them. */
  get text(): string {
    return treeText(this.tree);
  }
}

function fill(head: Template, renamed: ReadonlyMap<string, string>): string {
  if (head.length === 1) return head[0]!;
  return head.map((piece, index) => (index % 2 === 0 ? piece : `$${renamed.get(piece)!}`)).join('');
}

/** What is selected, by the text before its selection set. */
type Tree = Map<string, Tree>;

function insert(tree: Tree, chain: readonly string[]): void {
  let level = tree;
  for (const head of chain) {
    const below = level.get(head) ?? new Map<string, Tree>();
    level.set(head, below);
    level = below;
  }
}

function treeText(tree: Tree): string {
  const texts = [...tree].map(([head, inner]) => (inner.size > 0 ? `${head}${treeText(inner)}` : head));
  return `{${texts.sort().join(' ')}}`;
}
