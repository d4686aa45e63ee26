import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type DirectiveNode,
  type DocumentNode,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';
import type { OperationRequest } from './planner';

interface ResolvedOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** The variables that decided, with what they decided. Their values tell apart plans of the same text. */
  conditions: ReadonlyMap<string, boolean>;
}

/**
 * Decides `@include` and `@skip` on what a subscription selects at its root, because the planner cannot plan them there
 * (it wraps the fetch in a Condition and then refuses it). Everything else stays as it is.
 * Throws BAD_USER_INPUT when nothing is left to subscribe to.
 */
export function resolveRootConditions(
  request: OperationRequest,
  variables: Record<string, unknown>,
): ResolvedOperation {
  const { document, operation } = request;
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return { document, operation, conditions: NONE };
  const decisions: Decisions = { conditions: new Map(), wasAsked: false };
  const selections = resolveSelections(operation.selectionSet.selections, document, variables, decisions);
  if (!decisions.wasAsked) return { document, operation, conditions: NONE };
  if (selections.length === 0) {
    throw new GraphQLError('With these variables the subscription selects no field.', {
      nodes: operation,
      extensions: { code: 'BAD_USER_INPUT' },
    });
  }
  const definition = { ...operation, selectionSet: { ...operation.selectionSet, selections } };
  const definitions = document.definitions.map((node) => (node === operation ? definition : node));
  return { document: { ...document, definitions }, operation: definition, conditions: decisions.conditions };
}

const NONE: ReadonlyMap<string, boolean> = new Map();

interface Decisions {
  conditions: Map<string, boolean>;
  /** Whether there was any condition, also one that no variable decides. */
  wasAsked: boolean;
}

function resolveSelections(
  selections: readonly SelectionNode[],
  document: DocumentNode,
  variables: Record<string, unknown>,
  decisions: Decisions,
): SelectionNode[] {
  return selections.flatMap((node): SelectionNode[] => {
    if (!isIncluded(node.directives ?? [], variables, decisions)) return [];
    const directives = (node.directives ?? []).filter((directive) => !isCondition(directive));
    if (node.kind === Kind.FIELD) return [{ ...node, directives }];
    const fragment =
      node.kind === Kind.INLINE_FRAGMENT
        ? node
        : document.definitions.find(
            (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === node.name.value,
          );
    if (!fragment || !('selectionSet' in fragment)) return [];
    // A root fragment is always on the subscription type, so its fields can stand in its place.
    return resolveSelections(fragment.selectionSet.selections, document, variables, decisions);
  });
}

function isCondition(directive: DirectiveNode): boolean {
  return directive.name.value === 'include' || directive.name.value === 'skip';
}

function isIncluded(
  directives: readonly DirectiveNode[],
  variables: Record<string, unknown>,
  decisions: Decisions,
): boolean {
  return directives.filter(isCondition).every((directive) => {
    const value = directive.arguments?.[0]?.value;
    decisions.wasAsked = true;
    let isTrue = value?.kind === Kind.BOOLEAN && value.value;
    if (value?.kind === Kind.VARIABLE) {
      isTrue = variables[value.name.value] === true;
      decisions.conditions.set(value.name.value, isTrue);
    }
    return directive.name.value === 'include' ? isTrue : !isTrue;
  });
}
