import { reachedOf } from './audio-records';
import type { AudioStore, ConnectedWriter, Stored } from './audio-store';
import type { IngestTokens } from './ingest-token';
import { sessionOver } from './problems';

/** A writer that may send, and from where. */
export interface Admitted {
  writer: ConnectedWriter;
  stored: Stored;
}

/** What the path `/live/<session>` names. */
export function sessionIn(url: URL): string | null {
  return /^\/live\/(liv_[0-9a-z]{26})$/.exec(url.pathname)?.[1] ?? null;
}

/**
 * Makes whoever brings a token the session's writer. Null when the token is not good: whether there is such a session at all
 * is then not told. Throws INVALID_STATE for a session that has ended.
 */
export async function admit(
  { tokens, store }: { tokens: IngestTokens; store: AudioStore },
  sessionId: string,
  token: string,
): Promise<Admitted | null> {
  const number = tokens.numberOf(sessionId, token);
  if (number === null) return null;
  const connected = await store.connect(sessionId, number);
  if (!connected) return null;
  const { session, writer } = connected;
  if (session.isComplete || session.state === 'FAILED') {
    await store.leave(writer);
    throw sessionOver();
  }
  return { writer, stored: reachedOf(session) };
}

/** The token of `Authorization: Bearer …`; null without one. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([\w.-]{1,512}) *$/i.exec(authorization ?? '')?.[1] ?? null;
}
