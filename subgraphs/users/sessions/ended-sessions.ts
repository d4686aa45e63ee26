import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../../../platform/http/read-body';
import { isSignedCall, verifyCallIdentity } from '../../../platform/identity/call-identity';
import type { ByteRoute } from '../../../platform/subgraph/subgraph';
import type { Sessions } from './sessions';

/** Where a gateway in another process asks which sessions have ended; beside the public keys. */
export const ENDED_SESSIONS_PATH = '/sessions/ended';
/** How many sessions one call may name. */
const MAX_NAMED = 1_000;
/** A session's id has 30 characters; its quotes and comma are three more. */
const MAX_BODY_BYTES = 64 * MAX_NAMED;
/** Longest pause between two pieces of the body. */
const BODY_IDLE_MS = 15_000;

/**
 * `POST /sessions/ended` with `{"sessionIds": [...]}`, at most 1 000, answers `{"ended": [...]}`: those that were signed out
 * or revoked, have expired, or never were. The body must be signed by the gateway as that of a GraphQL call is.
 */
export function endedSessionsRoute(sessions: Sessions, callKey: Buffer): ByteRoute {
  return (request, response, url) => {
    if (url.pathname !== ENDED_SESSIONS_PATH || request.method !== 'POST') return false;
    answer(sessions, callKey, request).then(
      ({ status, ...body }) => reply(response, status, body),
      () => reply(response, 503, {}),
    );
    return true;
  };
}

async function answer(
  sessions: Sessions,
  callKey: Buffer,
  request: IncomingMessage,
): Promise<{ status: number; ended?: string[] }> {
  const { authorization } = request.headers;
  // Before the body is read: it may be long.
  if (!isSignedCall(callKey, 'users', authorization)) return { status: 401 };
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, idleMs: BODY_IDLE_MS });
  if (body === null) return { status: 400 };
  if (!verifyCallIdentity(callKey, 'users', authorization, body)) return { status: 401 };
  const ids = sessionIdsOf(body);
  return ids ? { status: 200, ended: await sessions.endedAmong(ids) } : { status: 400 };
}

function sessionIdsOf(body: string): string[] | null {
  try {
    const { sessionIds } = JSON.parse(body) as { sessionIds?: unknown };
    const isList = Array.isArray(sessionIds) && sessionIds.length <= MAX_NAMED;
    return isList && sessionIds.every((id) => typeof id === 'string') ? sessionIds : null;
  } catch {
    return null;
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
