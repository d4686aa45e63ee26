import { Kind, visit, type ASTNode, type DocumentNode, type FragmentDefinitionNode, type GraphQLSchema } from 'graphql';
import { validate } from 'graphql';
import { tidy, without, type Operation } from './documents';

/** Most operations that are tried while one shrinks. */
const MAX_TRIES = 1_500;

/**
 * A smaller operation that still fails: takes out selections, directives, arguments, aliases, fragments and variables,
 * one by one, until nothing can go. `fails` runs an operation and tells whether it still shows the fault.
 */
export async function shrink(
  schema: GraphQLSchema,
  operation: Operation,
  fails: (operation: Operation) => Promise<boolean>,
): Promise<Operation> {
  let current = operation;
  let tries = 0;
  const attempt = async (candidate: Operation | null): Promise<boolean> => {
    if (!candidate || tries++ > MAX_TRIES || validate(schema, candidate.document).length > 0) return false;
    if (!(await fails(candidate))) return false;
    current = candidate;
    return true;
  };
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const change of CHANGES) {
      for (let index = 0; ;) {
        const candidate = change(current, index);
        if (candidate === 'none') break;
        if (await attempt(candidate)) isSmaller = true;
        else index++;
      }
    }
  }
  return current;
}

/** Makes the change at the index-th place where it can be made; `none` after the last place. */
type Change = (operation: Operation, index: number) => Operation | null | 'none';

const CHANGES: readonly Change[] = [
  removing(Kind.FRAGMENT_SPREAD),
  removing(Kind.INLINE_FRAGMENT),
  removing(Kind.FIELD),
  removing(Kind.DIRECTIVE),
  removing(Kind.ARGUMENT),
  removing(Kind.OBJECT_FIELD),
  unwrapping,
  inlining,
  unaliasing,
  literalizing,
];

/** Removes the index-th node of a kind, the outermost first. */
function removing(kind: Kind): Change {
  return (operation, index) => {
    const node = nodesOf(operation.document, (candidate) => candidate.kind === kind)[index];
    return node ? without(operation, (candidate) => candidate === node) : 'none';
  };
}

/** Puts the selections of an inline fragment in its place. */
function unwrapping(operation: Operation, index: number): Operation | null | 'none' {
  const fragment = nodesOf(operation.document, ({ kind }) => kind === Kind.INLINE_FRAGMENT)[index];
  if (!fragment) return 'none';
  const document = visit(operation.document, {
    SelectionSet: (set) => ({
      ...set,
      selections: set.selections.flatMap((node) =>
        node === fragment && node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet.selections : [node],
      ),
    }),
  });
  return tidy({ ...operation, document });
}

/** Puts an inline fragment in the place of a spread. */
function inlining(operation: Operation, index: number): Operation | null | 'none' {
  const spread = nodesOf(operation.document, ({ kind }) => kind === Kind.FRAGMENT_SPREAD)[index];
  if (!spread) return 'none';
  const document = visit(operation.document, {
    FragmentSpread(node) {
      if (node !== spread) return undefined;
      const { typeCondition, selectionSet } = fragmentNamed(operation.document, node.name.value);
      return { kind: Kind.INLINE_FRAGMENT, typeCondition, directives: node.directives ?? [], selectionSet };
    },
  });
  return tidy({ ...operation, document });
}

function unaliasing(operation: Operation, index: number): Operation | null | 'none' {
  const field = nodesOf(operation.document, (node) => node.kind === Kind.FIELD && node.alias !== undefined)[index];
  if (!field) return 'none';
  const document = visit(operation.document, {
    Field: (node) => (node === field ? { ...node, alias: undefined } : undefined),
  });
  return tidy({ ...operation, document });
}

/** Puts true or false in the place of a condition's variable. */
function literalizing(operation: Operation, index: number): Operation | null | 'none' {
  const directive = nodesOf(
    operation.document,
    (node) => node.kind === Kind.DIRECTIVE && node.arguments?.[0]?.value.kind === Kind.VARIABLE,
  )[index];
  if (!directive) return 'none';
  const document = visit(operation.document, {
    Directive(node) {
      const argument = node.arguments?.[0];
      if (node !== directive || argument?.value.kind !== Kind.VARIABLE) return undefined;
      const value = operation.variables[argument.value.name.value] === true;
      return { ...node, arguments: [{ ...argument, value: { kind: Kind.BOOLEAN, value } }] };
    },
  });
  return tidy({ ...operation, document });
}

function nodesOf(document: DocumentNode, isWanted: (node: ASTNode) => boolean): ASTNode[] {
  const nodes: ASTNode[] = [];
  visit(document, {
    enter(node) {
      if (isWanted(node)) nodes.push(node);
    },
  });
  return nodes;
}

function fragmentNamed(document: DocumentNode, name: string): FragmentDefinitionNode {
  const fragment = document.definitions.find(
    (node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name,
  );
  if (fragment?.kind !== Kind.FRAGMENT_DEFINITION) throw new Error(`There is no fragment ${name}.`);
  return fragment;
}
