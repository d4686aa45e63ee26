import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { Kind, type SelectionSetNode } from 'graphql';
import { place, type EntityKey, type RewrittenSupergraph } from './rewrite-supergraph';

/** A part of an operation lies behind keys that nobody can resolve, although the supergraph composes. */
export class UnresolvableError extends Error {
  override readonly name = 'UnresolvableError';
}

/** Throws {@link UnresolvableError} when a fetch sends entities to a subgraph that can resolve them by none of the keys they are sent with. */
export function checkKeys(fetch: FetchNode, supergraph: RewrittenSupergraph): void {
  const sent = new Map<string, QueryPlanSelectionNode[]>();
  for (const node of fetch.requires ?? []) {
    if (node.kind !== 'InlineFragment' || !node.typeCondition) continue;
    sent.set(node.typeCondition, [...(sent.get(node.typeCondition) ?? []), ...node.selections]);
  }
  for (const [type, selections] of sent) {
    const keys = keysOf(type, fetch.serviceName, supergraph);
    if (!keys || keys.some((key) => key.isResolvable && covers(selections, key.fields))) continue;
    throw new UnresolvableError(
      `No key of "${type}" that the subgraph "${fetch.serviceName}" can resolve is available.`,
    );
  }
}

/** The keys of a type, or of the interface that the subgraph knows it by (`@interfaceObject`). */
function keysOf(
  type: string,
  service: string,
  { partialKeys, interfaces }: RewrittenSupergraph,
): readonly EntityKey[] | undefined {
  const own = partialKeys.get(place(service, type));
  if (own) return own;
  const asInterface = (interfaces.get(type) ?? []).map((name) => partialKeys.get(place(service, name)));
  return asInterface.find((keys) => keys?.[0]?.isInterfaceObject);
}

function covers(selections: readonly QueryPlanSelectionNode[], key: SelectionSetNode): boolean {
  return key.selections.every((node) => {
    if (node.kind === Kind.INLINE_FRAGMENT) return covers(selections, node.selectionSet);
    if (node.kind !== Kind.FIELD) return false;
    const found = fieldsOf(selections).filter((field) => field.name === node.name.value);
    if (!node.selectionSet || found.length === 0) return found.length > 0;
    return covers(
      found.flatMap((field) => field.selections ?? []),
      node.selectionSet,
    );
  });
}

function fieldsOf(selections: readonly QueryPlanSelectionNode[]): Extract<QueryPlanSelectionNode, { kind: 'Field' }>[] {
  return selections.flatMap((node) => (node.kind === 'Field' ? [node] : fieldsOf(node.selections)));
}
