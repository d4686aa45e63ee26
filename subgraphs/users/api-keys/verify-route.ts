import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../../../platform/http/read-body';
import type { VerifiedApiKey, VerifyApiKey } from '../../../platform/identity/api-key';
import { isSignedCall, verifyCallIdentity } from '../../../platform/identity/call-identity';
import type { ByteRoute } from '../../../platform/subgraph/subgraph';

/** Where a gateway in another process asks about API keys; beside the public keys. */
export const VERIFY_API_KEY_PATH = '/api-keys/verify';
const MAX_BODY_BYTES = 1_024;
/** Longest pause between two pieces of the body. */
const BODY_IDLE_MS = 15_000;

/**
 * `POST /api-keys/verify` with `{"keyHash": "<SHA-256 in hex>"}` answers `{"key": {viewer, expiresAt, checkedAt}}`, or null
 * in its place for what does not work: the key itself never comes here. The body must be signed by the gateway as that of a
 * GraphQL call is.
 */
export function verifyApiKeyRoute(verify: VerifyApiKey, callKey: Buffer): ByteRoute {
  return (request, response, url) => {
    if (url.pathname !== VERIFY_API_KEY_PATH || request.method !== 'POST') return false;
    answer(verify, callKey, request).then(
      ({ status, ...body }) => reply(response, status, body),
      () => reply(response, 503, {}),
    );
    return true;
  };
}

async function answer(
  verify: VerifyApiKey,
  callKey: Buffer,
  request: IncomingMessage,
): Promise<{ status: number; key?: VerifiedApiKey | null }> {
  const { authorization } = request.headers;
  // Before the body is read: nobody but the gateway is worth reading.
  if (!isSignedCall(callKey, 'users', authorization)) return { status: 401 };
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, idleMs: BODY_IDLE_MS });
  if (body === null) return { status: 400 };
  if (!verifyCallIdentity(callKey, 'users', authorization, body)) return { status: 401 };
  const keyHash = keyHashIn(body);
  return keyHash ? { status: 200, key: await verify(keyHash) } : { status: 400 };
}

function keyHashIn(body: string): string | null {
  try {
    const { keyHash } = JSON.parse(body) as { keyHash?: unknown };
    return typeof keyHash === 'string' && /^[0-9a-f]{64}$/.test(keyHash) ? keyHash : null;
  } catch {
    return null;
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
