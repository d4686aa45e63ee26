import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../../../platform/http/read-body';
import type { AccessNews } from '../../../platform/identity/access-change';
import { isSignedCall, verifyCallIdentity } from '../../../platform/identity/call-identity';
import type { ByteRoute } from '../../../platform/subgraph/subgraph';

/** Where a gateway in another process hears whose tokens are void; beside the public keys. */
export const ACCESS_CHANGES_PATH = '/access/changes';
const MAX_BODY_BYTES = 1_000;
/** Longest pause between two pieces of the body. */
const BODY_IDLE_MS = 15_000;

export interface AccessChangesRoute {
  route: ByteRoute;
  /** Ends the answers that are open, and begins no other. */
  close(): Promise<void>;
}

/**
 * `POST /access/changes` answers with a line of JSON for each piece of news, for as long as the connection is open. The body
 * must be signed by the gateway as that of a GraphQL call is. An answer whose source fails breaks off.
 */
export function accessChangesRoute(
  news: (signal: AbortSignal) => AsyncGenerator<AccessNews, void, void>,
  callKey: Buffer,
): AccessChangesRoute {
  const open = new Map<AbortController, Promise<void>>();
  let isClosed = false;

  const tell = async (response: ServerResponse): Promise<void> => {
    const left = new AbortController();
    response.once('close', () => left.abort());
    const telling = write(response, news(left.signal), left.signal).catch(() => void response.destroy());
    open.set(left, telling);
    await telling;
    open.delete(left);
  };
  return {
    route(request, response, url) {
      if (url.pathname !== ACCESS_CHANGES_PATH || request.method !== 'POST') return false;
      void isFromGateway(request, callKey).then((isGateway) => {
        if (!isGateway) return void response.writeHead(401, { 'cache-control': 'no-store' }).end();
        if (isClosed) return void response.writeHead(503, { 'retry-after': '1' }).end();
        return tell(response);
      });
      return true;
    },
    async close() {
      isClosed = true;
      for (const left of open.keys()) left.abort();
      await Promise.all(open.values());
    },
  };
}

async function isFromGateway(request: IncomingMessage, callKey: Buffer): Promise<boolean> {
  const { authorization } = request.headers;
  if (!isSignedCall(callKey, 'users', authorization)) return false;
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, idleMs: BODY_IDLE_MS });
  return body !== null && verifyCallIdentity(callKey, 'users', authorization, body) !== null;
}

async function write(response: ServerResponse, news: AsyncIterable<AccessNews>, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  for await (const piece of news) {
    if (!response.write(`${JSON.stringify(piece)}\n`)) await once(response, 'drain', { signal });
  }
  response.end();
}
