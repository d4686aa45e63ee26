import type { GraphQLFormattedError } from 'graphql';
import type { CallIdentity } from '../../platform/identity/viewer';

/** One GraphQL request to one subgraph, with everything that limits it. */
export interface SubgraphCall {
  query: string;
  operationName: string | undefined;
  kind: 'query' | 'mutation' | 'subscription';
  /** Plain JSON values, except `Upload` instances (only when the client sent a multipart request). */
  variables: Record<string, unknown>;
  identity: CallIdentity;
  /** The client's own Authorization header; used only where a transport was told to forward it. */
  authorization: string | undefined;
  /** Aborted when the client left or the deadline passed. */
  signal: AbortSignal;
}

/** An answer as it came: nothing in it has been checked against the schema. */
export interface SubgraphAnswer {
  data?: unknown;
  errors?: readonly GraphQLFormattedError[];
}

/** How the gateway reaches one subgraph. */
export interface Transport {
  /** Sends a query or mutation. Throws {@link SubgraphUnavailableError} when there is no GraphQL answer. */
  execute(call: SubgraphCall): Promise<SubgraphAnswer>;
  /**
   * Opens a subscription: one answer per event, in order. Ends when the subgraph completes it; throws
   * {@link SubgraphUnavailableError} when the stream breaks. `return()` and the signal close it at once.
   */
  subscribe(call: SubgraphCall): AsyncGenerator<SubgraphAnswer, void, void>;
  /** Resolves when the subgraph answers; rejects with the reason. */
  ready(signal: AbortSignal): Promise<void>;
  /** Closes connections that are kept open. */
  dispose(): Promise<void>;
}

/** There is no usable answer from a subgraph. The reason is for the log; clients get a neutral message. */
export class SubgraphUnavailableError extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'SubgraphUnavailableError';
  }
}
