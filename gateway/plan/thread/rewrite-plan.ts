import type { DeferNode, FetchNode, PlanNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import { checkKeys } from './check-keys';
import type { RewrittenSupergraph } from './rewrite-supergraph';
import { splitByTwins } from './split-fetch';
import { restoreTwins } from './restore-twins';

/**
 * Undoes in a plan what was rewritten in the supergraph: twins become the fields they stand for, and a fetch that needs
 * two of them under one name becomes several. Throws when a fetch enters a subgraph by a key it cannot resolve.
 */
export function rewritePlan(plan: QueryPlan, supergraph: RewrittenSupergraph): QueryPlan {
  if (!plan.node || (supergraph.twins.size === 0 && supergraph.partialKeys.size === 0)) return plan;
  const parts = new Map<string, string[]>();
  const node = rewriteNode(plan.node, (fetch) => rewriteFetch(fetch, supergraph, parts));
  return { ...plan, node: parts.size > 0 ? awaitParts(node, parts) : node };
}

type RewriteFetch = (fetch: FetchNode) => FetchNode[];

/** `parts` collects the ids of the fetches that took the place of one that deferred parts of the plan wait for. */
function rewriteFetch(fetch: FetchNode, supergraph: RewrittenSupergraph, parts: Map<string, string[]>): FetchNode[] {
  checkKeys(fetch, supergraph);
  if (supergraph.twins.size === 0) return [fetch];
  const { id } = fetch;
  const split = splitByTwins(fetch, supergraph).map((part) => restoreTwins(part, supergraph.twins));
  if (id === undefined || split.length === 1) return split;
  const named = split.map((part, index) => ({ ...part, id: index === 0 ? id : `${id}.${index}` }));
  parts.set(
    id,
    named.map((part) => part.id),
  );
  return named;
}

function rewriteNode<Node extends PlanNode | SubscriptionNode>(node: Node, rewrite: RewriteFetch): Node;
function rewriteNode(node: PlanNode | SubscriptionNode, rewrite: RewriteFetch): PlanNode | SubscriptionNode {
  const inside = (child: PlanNode): PlanNode => rewriteNode(child, rewrite);
  switch (node.kind) {
    case 'Fetch': {
      const fetches = rewrite(node);
      return fetches[0] && fetches.length === 1 ? fetches[0] : { kind: 'Parallel', nodes: fetches };
    }
    case 'Sequence':
    case 'Parallel':
      return { ...node, nodes: node.nodes.map(inside) };
    case 'Flatten':
      return { ...node, node: inside(node.node) };
    case 'Condition':
      return {
        ...node,
        ...(node.ifClause ? { ifClause: inside(node.ifClause) } : {}),
        ...(node.elseClause ? { elseClause: inside(node.elseClause) } : {}),
      };
    case 'Subscription': {
      // A root fetch has no representations, so it stays one.
      const [primary = node.primary] = rewrite(node.primary);
      return { ...node, primary, ...(node.rest ? { rest: inside(node.rest) } : {}) };
    }
    case 'Defer':
      return rewriteDefer(node, inside);
  }
}

function rewriteDefer(node: DeferNode, inside: (child: PlanNode) => PlanNode): DeferNode {
  return {
    ...node,
    primary: { ...node.primary, ...(node.primary.node ? { node: inside(node.primary.node) } : {}) },
    deferred: node.deferred.map((part) => ({ ...part, ...(part.node ? { node: inside(part.node) } : {}) })),
  };
}

/** Lets every deferred part wait for all fetches that one it waited for was split into. */
function awaitParts<Node extends PlanNode | SubscriptionNode>(node: Node, parts: ReadonlyMap<string, string[]>): Node {
  return JSON.parse(JSON.stringify(node), (key, value: unknown) =>
    key === 'depends' && Array.isArray(value)
      ? (value as { id: string }[]).flatMap((dependency) =>
          (parts.get(dependency.id) ?? [dependency.id]).map((id) => ({ ...dependency, id })),
        )
      : value,
  ) as Node;
}
