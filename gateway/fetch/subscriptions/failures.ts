import { SubgraphError } from '../transport';

/** The stream or its connection is gone. */
export function unavailable(reason: string, cause?: unknown): SubgraphError {
  return new SubgraphError('SUBGRAPH_UNAVAILABLE', reason, { cause });
}

/** The subgraph sent something that is not of its protocol. */
export function badResponse(reason: string, cause?: unknown): SubgraphError {
  return new SubgraphError('SUBGRAPH_BAD_RESPONSE', reason, { cause });
}

/** The subgraph did not do `what` in time. */
export function timeout(what: string, ms: number): SubgraphError {
  return new SubgraphError('SUBGRAPH_TIMEOUT', `did not ${what} within ${ms} ms`);
}
