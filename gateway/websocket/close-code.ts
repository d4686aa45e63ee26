import { CloseCode as ProtocolCode } from 'graphql-ws';

/** Why a WebSocket is closed: the codes of the protocol, those of RFC 6455 §7.4.1 and its registry that we send, and two of our own. */
export const CloseCode = {
  ...ProtocolCode,
  /** The gateway stops; another one, or this one in a moment, takes the client. */
  GoingAway: 1001,
  /** The client does what no client should. */
  PolicyViolation: 1008,
  /** What is asked for cannot be done at the moment; clients come back by themselves, as they do not behind 4500. */
  TryAgainLater: 1013,
  /** The client did not take its events in time; it may come back with its cursor. */
  ConsumerTooSlow: 4413,
  /** The user has too many connections; it may come back when another one has closed. */
  TooManyConnections: 4414,
} as const;

/** RFC 6455 §5.5: a control frame has 125 bytes, two of which are the code. */
export const MAX_REASON_BYTES = 123;

/** As much of a reason as a close frame takes. */
export function closeReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return reason;
  const cut = Buffer.from(reason)
    .subarray(0, MAX_REASON_BYTES - 3)
    .toString('utf8');
  return `${cut.replace(/\ufffd+$/, '')}...`;
}
