import type { EndReason } from '../../connections/connections';
import type { DisconnectReason, Frame } from '../../operations/outlet';

/** Why the gateway ends a stream before its operations are done. */
export type Farewell = EndReason | DisconnectReason;

/** How the messages of one kind of stream are written. Nothing here keeps anything about a client. */
export interface Wire {
  readonly contentType: string;
  /** What a stream begins with, so that the client hears of it at once. */
  begin(): string;
  /** A sign of life in between. */
  readonly heartbeat: string;
  next(id: string, frame: Frame): string | Buffer;
  complete(id: string): string;
  /** Errors of an operation that was refused before it ran; it is completed by this as well. */
  refuse(id: string, errors: readonly object[]): string;
  /** Tells one operation why the stream ends, and where to go on. */
  farewell(id: string, reason: Farewell, cursor: string | undefined): string;
  /** The last bytes of a stream. */
  end(reason: Farewell | undefined): string;
}

const MESSAGES: Record<Farewell, { code: string; message: string }> = {
  TOKEN_EXPIRED: { code: 'UNAUTHENTICATED', message: 'The access token has expired. Come back with a new one.' },
  SESSION_ENDED: { code: 'UNAUTHENTICATED', message: 'The session has ended. Sign in again.' },
  ACCESS_CHANGED: {
    code: 'UNAUTHENTICATED',
    message: 'What the account may do has changed. Come back with a new token.',
  },
  CONSUMER_TOO_SLOW: {
    code: 'CONSUMER_TOO_SLOW',
    message: 'The client does not read fast enough. Come back with the cursor.',
  },
  GOING_AWAY: { code: 'GOING_AWAY', message: 'This gateway is stopping. Come back with the cursor.' },
};

/** The error that says why a stream ends, as clients get it. */
export function farewellError(reason: Farewell, cursor: string | undefined): object {
  const { code, message } = MESSAGES[reason];
  return { message, extensions: { code, ...(cursor === undefined ? {} : { cursor }) } };
}

/**
 * One frame goes to many clients one after the other: it is put into bytes once. `write` must depend on nothing but the
 * frame.
 */
export function sharedBytes(write: (frame: Frame) => string): (frame: Frame) => Buffer {
  let last: WeakRef<Frame> | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  return (frame) => {
    if (last?.deref() === frame) return bytes;
    last = new WeakRef(frame);
    bytes = Buffer.from(write(frame));
    return bytes;
  };
}
