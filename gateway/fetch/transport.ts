import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { CancelSignal } from '../../platform/cancellation';
import type { SessionChange } from '../../platform/identity/session-change';
import type { CallIdentity } from '../../platform/identity/viewer';

/** The document of a fetch, prepared once when its plan is compiled. */
export interface SubgraphOperation {
  query: string;
  operationName: string | undefined;
  kind: 'query' | 'mutation' | 'subscription';
  /** The JSON body of a request up to the value of `variables`: what remains is that value and a closing brace. */
  bodyStart: string;
}

/** One GraphQL request to one subgraph, with everything that limits it. */
export interface SubgraphCall {
  operation: SubgraphOperation;
  /** The variables as JSON text; only for calls without uploads. */
  variablesText: () => string;
  /**
   * The variables as values the receiver may keep and change: plain JSON, except `Upload` instances (only when the
   * client sent a multipart request).
   */
  variables: () => Record<string, unknown>;
  /** Whether there is an `Upload` among the variables. */
  hasUploads: boolean;
  identity: CallIdentity;
  /** The client's own Authorization header; used only where a transport was told to forward it. */
  authorization: string | undefined;
  /** The client's other headers, for the forwarding rules of a subgraph; undefined where there was no HTTP request. */
  headers: IncomingHttpHeaders | undefined;
  /** What the client sent when it opened its WebSocket; used only where a subscription transport was told to forward it. */
  connectionParams: Record<string, unknown> | undefined;
  /** See `Caller.onSession`. */
  onSession?: ((change: SessionChange) => void) | undefined;
  /** Aborted when the client left or the deadline of the whole operation passed. */
  signal: CancelSignal;
}

/** What a call may tell of who asks. */
export type CallerScope = Pick<SubgraphCall, 'identity' | 'authorization'> &
  Partial<Pick<SubgraphCall, 'headers' | 'connectionParams'>>;

/** The viewer as part of a scope: what in-process subgraphs see, and remote ones by the signed identity. */
export function viewerScope({ identity: { viewer } }: CallerScope): string {
  return viewer ? JSON.stringify([viewer.userId, viewer.sessionId, ...viewer.scopes]) : '';
}

/** An answer as it came: nothing in it has been checked against the schema. Whoever asked may change it. */
export interface SubgraphAnswer {
  data?: unknown;
  errors?: readonly GraphQLFormattedError[];
  /** For the gateway itself; never part of an answer to a client. */
  extensions?: unknown;
}

/** How the gateway reaches one subgraph. */
export interface Transport {
  /**
   * Sends a query or mutation. Rejects with {@link SubgraphError} when there is no GraphQL answer, and with the signal's
   * reason as soon as it aborts.
   */
  execute(call: SubgraphCall): Promise<SubgraphAnswer>;
  /**
   * Opens a subscription: one answer per event, in order. Ends when the subgraph completes it; throws
   * {@link SubgraphError} when the stream breaks. `return()` and the signal close it at once.
   */
  subscribe(call: SubgraphCall): AsyncGenerator<SubgraphAnswer, void, void>;
  /**
   * Names everything about a caller that a call tells the subgraph, the request id aside: callers of one scope get the
   * same answers to the same calls, so these may be shared between them.
   */
  scopeOf(caller: CallerScope): string;
  /** Resolves when the subgraph answers; rejects with the reason. */
  ready(signal: AbortSignal): Promise<void>;
  /** Closes connections that are kept open. */
  dispose(): Promise<void>;
}

/**
 * Why there is no usable answer: it cannot be reached (or is held off by its circuit breaker), it took longer than its
 * own deadline, or what it sent is no GraphQL answer.
 */
export type SubgraphErrorCode = 'SUBGRAPH_UNAVAILABLE' | 'SUBGRAPH_TIMEOUT' | 'SUBGRAPH_BAD_RESPONSE';

/** There is no usable answer from a subgraph. The reason is for the log; clients get a neutral message for the code. */
export class SubgraphError extends Error {
  constructor(
    readonly code: SubgraphErrorCode,
    reason: string,
    options?: { cause?: unknown },
  ) {
    super(reason, options);
    this.name = 'SubgraphError';
  }
}

/** Prepares the document of a fetch for calls. */
export function subgraphOperation(
  query: string,
  operationName: string | undefined,
  kind: SubgraphOperation['kind'],
): SubgraphOperation {
  const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`;
  return { query, operationName, kind, bodyStart: `{"query":${JSON.stringify(query)}${name},"variables":` };
}

/** A query that the gateway asks for itself, on behalf of nobody. */
export function ownCall(query: string, requestId: string, signal: CancelSignal): SubgraphCall {
  return {
    operation: subgraphOperation(query, undefined, 'query'),
    variablesText: () => '{}',
    variables: () => ({}),
    hasUploads: false,
    headers: undefined,
    connectionParams: undefined,
    identity: { viewer: null, requestId },
    authorization: undefined,
    signal,
  };
}
