/** What a client asks for when it opens a stream. */
export interface StreamRequest {
  /** e.g. `http://127.0.0.1:4000/graphql` */
  endpoint: string;
  token: string;
  query: string;
  variables: Record<string, unknown>;
  /** Cursor to go on from, told in the way of the transport; undefined: none is told. */
  cursor: string | undefined;
}

/** One execution result as it arrived. */
export interface StreamFrame {
  data?: Record<string, unknown> | null;
  errors?: readonly { message: string; path?: readonly (string | number)[]; extensions?: { code?: string } }[];
  extensions?: { cursor?: string; snapshot?: boolean; gap?: { reason: string; missed: number | null } };
}

/**
 * Opens a subscription on a connection of its own and yields its frames. Returns when the server has completed it;
 * throws {@link StreamClosed} when the connection ended before, {@link StreamRefused} when it was refused, and what the
 * signal was aborted with.
 */
export type StreamTransport = (request: StreamRequest, signal: AbortSignal) => AsyncGenerator<StreamFrame, void, void>;

/** The connection ended while the subscription was open. */
export class StreamClosed extends Error {
  constructor(
    /** The WebSocket's close code; null where the transport has none. */
    readonly code: number | null,
    reason: string,
  ) {
    super(`closed ${code ?? ''} ${reason}`.trim());
    this.name = 'StreamClosed';
  }
}

/** The server answered the request, with something that is no stream. */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
}
