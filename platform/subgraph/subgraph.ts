import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLFormattedError } from 'graphql';
import type { CallIdentity } from '../identity/viewer';

/** One GraphQL request to one subgraph. Variables are plain JSON values, except uploads (see `uploads.ts`). */
export interface SubgraphRequest {
  query: string;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
}

export interface SubgraphResult {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  /** What the subgraph tells the gateway and no client, e.g. a `SessionChange` as `session`. */
  extensions?: Readonly<Record<string, unknown>>;
}

export interface SubgraphCallOptions {
  identity: CallIdentity;
  /** Aborted when the client left or the deadline passed; reaches resolvers as `context.signal`. */
  signal: AbortSignal;
}

/** A byte route of a subgraph (downloads, JWKS): returns true when it has taken the request. */
export type ByteRoute = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean;

/**
 * A route for connections that ask to become a WebSocket: returns true when it has taken the connection, which is then its own
 * to answer and to close.
 */
export type SocketRoute = (request: IncomingMessage, socket: Duplex, head: Buffer, url: URL) => boolean;

/**
 * A running subgraph as its host sees it. The gateway calls it in process when both live in one process;
 * `serve.ts` puts the same object behind HTTP and graphql-ws when they do not.
 */
export interface Subgraph {
  readonly name: string;
  /** Answers a query or mutation. Never throws: failures are `errors` in the result, already safe to show. */
  execute(request: SubgraphRequest, options: SubgraphCallOptions): Promise<SubgraphResult>;
  /**
   * Opens a subscription: one result per event, in order. A refused subscription yields one result with `errors` and
   * ends. `return()` or the signal frees everything it holds.
   */
  subscribe(request: SubgraphRequest, options: SubgraphCallOptions): AsyncGenerator<SubgraphResult, void, void>;
  readonly byteRoutes: readonly ByteRoute[];
  readonly socketRoutes: readonly SocketRoute[];
  /**
   * Told by a host that stops: what its routes have taken and would go on for long is closed (a socket with 1001), and nothing
   * new is begun. Resolves when that is done. Its host calls it before it waits for its connections; a second call waits for the first.
   */
  closeRoutes(): Promise<void>;
  /** Resolves when the subgraph can serve (its database answers); rejects with the reason. */
  ready(): Promise<void>;
}
