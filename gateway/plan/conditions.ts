import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  visit,
  type ArgumentNode,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

export interface DecidedOperation {
  /** Without `@include`, `@skip` and conditions of `@defer`. Selection sets may have become empty. */
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The variables that decided, with what they decided. Their values tell apart plans of the same text. */
  conditions: readonly (readonly [variable: string, value: boolean])[];
}

/**
 * Decides every `@include` and `@skip`, and whether a `@defer` holds, before planning. The planner makes wrong plans of
 * conditions in several ways (decision 10): it loses nested ones in entity fetches, drops fields whose selections are all
 * skipped, and refuses them at the root of subscriptions. Each combination that clients use gets a plan of its own.
 * Throws BAD_USER_INPUT when a variable that decides is null, and when nothing is left to subscribe to.
 */
export function decideConditions(
  { source, document, operation }: { source: string; document: DocumentNode; operation: OperationDefinitionNode },
  variables: Record<string, unknown>,
): DecidedOperation {
  const deciding = source.includes('@') ? conditionsIn(document) : NONE;
  if (!deciding.any) return { document, operation, conditions: [] };
  const defined = new Set(operation.variableDefinitions?.map((node) => node.variable.name.value));
  const conditions = deciding.variables
    .filter((name) => defined.has(name))
    .map((name) => [name, booleanValue(name, variables[name])] as const);
  const resolve = createResolver(document, new Map(conditions));
  const definitions = document.definitions.map((node) =>
    'selectionSet' in node ? { ...node, selectionSet: resolve(node.selectionSet) } : node,
  );
  const decided = definitions[document.definitions.indexOf(operation)] as OperationDefinitionNode;
  if (decided.operation === OperationTypeNode.SUBSCRIPTION && decided.selectionSet.selections.length === 0) {
    throw badInput('With these variables the subscription selects no field.', operation);
  }
  return { document: { ...document, definitions }, operation: decided, conditions };
}

interface Conditions {
  /** Whether there are conditions at all, also ones that no variable decides. */
  any: boolean;
  variables: readonly string[];
}

const NONE: Conditions = { any: false, variables: [] };

/** What was found in documents that are kept: looking costs more than the rest of finding a known plan. */
const found = new WeakMap<DocumentNode, Conditions>();

function conditionsIn(document: DocumentNode): Conditions {
  const known = found.get(document);
  if (known) return known;
  const variables = new Set<string>();
  let any = false;
  visit(document, {
    Directive(node) {
      const condition = conditionOf(node);
      if (!condition) return;
      any = true;
      if (condition.value.kind === Kind.VARIABLE) variables.add(condition.value.name.value);
    },
  });
  const conditions = { any, variables: [...variables].sort() };
  found.set(document, conditions);
  return conditions;
}

function conditionOf(directive: DirectiveNode): ArgumentNode | undefined {
  if (!['include', 'skip', 'defer'].includes(directive.name.value)) return undefined;
  return directive.arguments?.find((node) => node.name.value === 'if');
}

function booleanValue(name: string, value: unknown): boolean {
  // A nullable variable may decide when it has a default; null in its place is the client's mistake.
  if (typeof value !== 'boolean') throw badInput(`Variable "$${name}" decides a condition and must not be null.`);
  return value;
}

function badInput(message: string, node?: OperationDefinitionNode): GraphQLError {
  return new GraphQLError(message, { ...(node ? { nodes: node } : {}), extensions: { code: 'BAD_USER_INPUT' } });
}

/** Makes of a selection set the one that is left. Fragments in which nothing is left are no longer spread. */
function createResolver(
  document: DocumentNode,
  values: ReadonlyMap<string, boolean>,
): (set: SelectionSetNode) => SelectionSetNode {
  const fragments = new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
  const empty = new Map<string, boolean>();
  const isEmpty = (fragment: FragmentDefinitionNode | undefined): boolean => {
    if (!fragment) return true;
    const name = fragment.name.value;
    const known = empty.get(name);
    if (known !== undefined) return known;
    const isNothingLeft = resolve(fragment.selectionSet).selections.length === 0;
    empty.set(name, isNothingLeft);
    return isNothingLeft;
  };
  const isTrue = (condition: ArgumentNode): boolean =>
    condition.value.kind === Kind.VARIABLE
      ? values.get(condition.value.name.value) === true
      : condition.value.kind === Kind.BOOLEAN && condition.value.value;
  const directivesLeft = (node: SelectionNode): DirectiveNode[] | undefined => {
    const left: DirectiveNode[] = [];
    for (const directive of node.directives ?? []) {
      const condition = conditionOf(directive);
      const name = directive.name.value;
      if (!condition) left.push(directive);
      else if (name === 'defer') {
        const others = directive.arguments?.filter((argument) => argument !== condition) ?? [];
        if (isTrue(condition)) left.push({ ...directive, arguments: others });
      } else if (isTrue(condition) !== (name === 'include')) return undefined;
    }
    return left;
  };
  const resolve = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.flatMap((node): SelectionNode[] => {
      const directives = directivesLeft(node);
      if (!directives) return [];
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        return isEmpty(fragments.get(node.name.value)) ? [] : [{ ...node, directives }];
      }
      if (!node.selectionSet) return [{ ...node, directives }];
      const selectionSet = resolve(node.selectionSet);
      if (node.kind === Kind.INLINE_FRAGMENT && selectionSet.selections.length === 0) return [];
      return [{ ...node, directives, selectionSet }];
    }),
  });
  return resolve;
}
