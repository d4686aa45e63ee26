import type { Chunk } from './audio-store';

/** Name of the protocol, for clients that like to name one at the upgrade. */
export const LIVE_PROTOCOL = 'sauti.live.v1';

/** Before the audio in each binary message: the chunk's number, unsigned, big endian. */
const SEQUENCE_BYTES = 4;
/** Longer tokens are not ours. */
const MAX_TOKEN_LENGTH = 512;

/** Codes of close frames; those below 4000 are of RFC 6455 §7.4.1, the others like the HTTP status they resemble. */
export const LiveCloseCode = {
  Done: 1000,
  GoingAway: 1001,
  Internal: 1011,
  BadMessage: 4400,
  Unauthorized: 4401,
  UnknownSession: 4404,
  StartTimeout: 4408,
  Replaced: 4409,
  SessionOver: 4410,
  TooSlow: 4413,
  Busy: 4429,
} as const;
export type LiveCloseCode = (typeof LiveCloseCode)[keyof typeof LiveCloseCode];

export type ClientMessage = { type: 'start'; token: string } | { type: 'flush' } | { type: 'end' };

export type ServerMessage =
  | { type: 'ready'; acknowledgedSequence: number; maxChunkBytes: number; maxChunkMs: number }
  | { type: 'acknowledged'; sequence: number }
  | { type: 'flushed' }
  | { type: 'ended'; acknowledgedSequence: number }
  | { type: 'error'; code: string; message: string; expectedSequence?: number; retryAfterMs?: number };

/** Reads a text message; null when it is none of the protocol's. */
export function readClientMessage(text: string): ClientMessage | null {
  const message = parsed(text);
  if (typeof message !== 'object' || message === null) return null;
  const { type, token } = message as { type?: unknown; token?: unknown };
  if (type === 'flush' || type === 'end') return { type };
  const isToken = typeof token === 'string' && token.length <= MAX_TOKEN_LENGTH;
  return type === 'start' && isToken ? { type, token } : null;
}

/** Reads a binary message; null when there is no audio behind a number from 1 to 2^31 - 1. */
export function readChunk(data: Buffer): Chunk | null {
  if (data.length <= SEQUENCE_BYTES) return null;
  const sequence = data.readUInt32BE(0);
  const isNumber = sequence >= 1 && sequence <= 0x7fff_ffff; // what the column holds
  return isNumber ? { sequence, bytes: data.subarray(SEQUENCE_BYTES) } : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
