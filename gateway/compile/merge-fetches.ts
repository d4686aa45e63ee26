import type { FetchNode, ResponsePath } from '@apollo/query-planner';

/** A Fetch of a plan with where it stands. */
export interface PlannedFetch {
  node: FetchNode;
  path: ResponsePath;
  waitsFor: readonly PlannedFetch[];
  /** Fetches in a row before it, on the longest way. */
  level: number;
}

/** As many `_entities` fields as one request may have: their subsets are told apart by bits. */
const MAX_MERGED = 30;

/**
 * Groups fetches into requests. Entity fetches of one level to one subgraph become one request: none of them waits for
 * another, and they ask for what a request of its own would give. A fetch nothing waits for may go later: it joins a
 * later request to the same subgraph, which the answer has to wait for anyway. Fetches stay alone
 * that select from a root, take arguments from their surroundings, or are awaited by a deferred part.
 */
export function mergeFetches(fetches: readonly PlannedFetch[]): PlannedFetch[][] {
  const awaited = new Set(fetches.flatMap(({ waitsFor }) => waitsFor));
  const latest = new Map<string, number>();
  for (const fetch of fetches.filter(canMerge)) {
    const { serviceName } = fetch.node;
    latest.set(serviceName, Math.max(latest.get(serviceName) ?? 0, fetch.level));
  }
  const groups = new Map<string, PlannedFetch[]>();
  const result: PlannedFetch[][] = [];
  for (const fetch of fetches) {
    const { serviceName } = fetch.node;
    const level = awaited.has(fetch) ? fetch.level : (latest.get(serviceName) ?? fetch.level);
    const key = `${level} ${serviceName}`;
    const group = canMerge(fetch) ? groups.get(key) : undefined;
    if (group && group.length < MAX_MERGED) {
      group.push(fetch);
      continue;
    }
    const started = [fetch];
    if (canMerge(fetch)) groups.set(key, started);
    result.push(started);
  }
  return result;
}

function canMerge({ node }: PlannedFetch): boolean {
  return node.requires !== undefined && !node.contextRewrites?.length && !node.hasDefers;
}
