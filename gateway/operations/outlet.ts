/** One payload of an operation, ready for a message of any transport. Shared by all who get the same: never changed. */
export interface Frame {
  /** JSON text of the payload: an object with `data`, and `errors` and `extensions` where there are any. */
  readonly payload: string;
  /** With it a client that comes back gets what follows this frame. Undefined where nothing can be continued. */
  readonly cursor: string | undefined;
}

/** Why a client has to leave although it did nothing wrong; it may come back and go on. */
export type DisconnectReason = 'CONSUMER_TOO_SLOW' | 'GOING_AWAY';

/**
 * Where the payloads of one operation go: an operation on a WebSocket, an event stream, a multipart answer. Sending never
 * waits. Whoever sends looks at `hasRoom` first and stops while there is none, so that what is queued for a client that
 * does not read stays small: an outlet holds one frame beyond its limit at most.
 */
export interface Outlet {
  /** Takes a frame in any case. After `complete`, `disconnect` or the end of the connection it is dropped. */
  next(frame: Frame): void;
  /** Whether what is queued for the client's whole connection is below its limit. True once the connection is gone. */
  readonly hasRoom: boolean;
  /** Calls back once, as soon as there is room again; not at all once the connection is gone. */
  onRoom(listener: () => void): void;
  /**
   * Grows whenever the client's connection takes bytes. Where bytes wait for it (there is no room), two equal values mean
   * that the client has taken nothing in between.
   */
  readonly progress: number;
  /** The operation is over: nothing follows. */
  complete(): void;
  /** Closes the client's whole connection, says why, and with which cursor this operation goes on where there is one. */
  disconnect(reason: DisconnectReason, cursor: string | undefined): void;
}
