import type { SubgraphAnswer } from '../transport';

/** A message of graphql-transport-ws from a server; payloads are as they came. */
export type ServerMessage =
  | { type: 'connection_ack' | 'pong' }
  | { type: 'ping'; payload?: unknown }
  | { type: 'next'; id: string; payload: unknown }
  | { type: 'error'; id: string; payload: NonNullable<SubgraphAnswer['errors']> }
  | { type: 'complete'; id: string };

/** Reads a message; null when it is none (graphql-ws PROTOCOL.md, "Message types"). */
export function readServerMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isServerMessage(value) ? value : null;
}

function isServerMessage(value: unknown): value is ServerMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { type, id, payload } = value as Record<string, unknown>;
  if (type === 'connection_ack' || type === 'ping' || type === 'pong') return true;
  if (typeof id !== 'string') return false;
  return type === 'complete' || type === 'next' || (type === 'error' && Array.isArray(payload));
}
