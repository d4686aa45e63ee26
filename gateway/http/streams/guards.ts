import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OriginPolicy } from '../cors';
import { HttpError } from '../responses';
import { hasAccessToken } from '../token-in-url';

/** Headers that no page of another site can send without asking first, and what they are for. */
const PREFLIGHTED = ['apollo-require-preflight', 'x-apollo-operation-name', 'authorization'];

/** Throws an `HttpError` with 403 for the page of a site that may not call. A stream is not opened only to be unreadable. */
export function checkOrigin(request: IncomingMessage, origins: OriginPolicy): void {
  if (origins.isAllowed(request)) return;
  throw new HttpError(
    403,
    'FORBIDDEN',
    'This origin may not open streams here. Its operator can add it to the allowed origins.',
  );
}

/**
 * Throws an `HttpError` with 400 for a GET that a page of another site may have caused. Accept is a header that anybody may send without asking, so it proves nothing. An `EventSource` can send no header of its own; its browser says where it comes from instead: an
 * Origin, which has been checked, or `Sec-Fetch-Site: same-origin`. A request by `fetch` in the mode `no-cors`
 * has neither.
 */
export function preventForgery({ method, headers }: IncomingMessage): void {
  if (method !== 'GET' || headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin') return;
  if (PREFLIGHTED.some((name) => headers[name])) return;
  throw new HttpError(
    400,
    'BAD_REQUEST',
    'Send the header "apollo-require-preflight: true" with a GET that no browser’s EventSource makes (CSRF prevention), or use POST.',
  );
}

/** Throws an `HttpError` with 400 for an access token or API key in the URL, where logs and histories keep it. */
export function refuseTokenInUrl({ searchParams }: URL): void {
  if (!hasAccessToken(searchParams, { mayNameStream: true })) return;
  throw new HttpError(
    400,
    'BAD_REQUEST',
    'An access token or API key does not belong in a URL. Send it as "Authorization: Bearer <token>", or reserve a stream with it (single connection mode).',
  );
}

/**
 * Throws an `HttpError` with 400 for a request that was sent before the answer to another one on its connection was out.
 * Behind a stream it could wait for ever, and Node does not tell when the connection of such a response ends.
 */
export function checkTurn(response: ServerResponse): void {
  if (response.socket) return;
  throw new HttpError(400, 'BAD_REQUEST', 'A stream cannot be opened by a request behind another one (pipelining).');
}

/** What a mutation by GET is answered with. */
export function mutationByGet(response: ServerResponse): HttpError {
  response.setHeader('allow', 'POST');
  return new HttpError(405, 'BAD_REQUEST', 'A mutation must be sent by POST.');
}
