import type { IncomingMessage } from 'node:http';
import type { OriginPolicy } from './cors';
import { HttpError } from './responses';
import { acceptedStream } from './streams/accept';

/** A client says with it that its session is to be in cookies; no page of another site can send it without asking. */
export const SESSION_HEADER = 'sauti-session';
/** Headers that make a browser ask first when a page of another site wants to send them. */
const PREFLIGHTED = [
  SESSION_HEADER,
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'x-graphql-event-stream-token',
];

/** Whether the client keeps its session in cookies and this request may change it. */
export function asksForCookies({ headers }: IncomingMessage): boolean {
  return headers[SESSION_HEADER] === 'cookie';
}

/**
 * Throws an `HttpError` with 403 for a request with cookies that the page of another site may have caused: what a browser
 * sends by itself proves who is at the device, not who asks. Its browser has to say that the page's origin is one that
 * may send credentials, or is the gateway's own, and the request must be none that a plain form or link can make; only
 * an `EventSource` can send no header, and its stream cannot be read from elsewhere.
 */
export function checkCookieRequest(request: IncomingMessage, origins: OriginPolicy): void {
  if (!isFromTrustedPage(request, origins))
    throw new HttpError(
      403,
      'FORBIDDEN',
      'A request with cookies must come from an allowed origin: its operator can add it, or send the access token as "Authorization: Bearer <token>".',
    );
  const { method, headers } = request;
  const isJson = /^application\/json\b/i.test(headers['content-type'] ?? '');
  const isEventSource = method === 'GET' && acceptedStream(headers.accept)?.type === 'events';
  // Browsers ask first for every other method, too.
  const isUnusual = method !== 'GET' && method !== 'HEAD' && method !== 'POST';
  if (isJson || isEventSource || isUnusual || PREFLIGHTED.some((name) => headers[name])) return;
  throw new HttpError(
    403,
    'FORBIDDEN',
    'Send "Content-Type: application/json" or the header "apollo-require-preflight: true" with a request with cookies (CSRF prevention).',
  );
}

/** Whether the browser says that the page may send credentials. A request that does not say where it comes from has none to be trusted by. */
export function isFromTrustedPage(request: IncomingMessage, origins: OriginPolicy): boolean {
  const { origin } = request.headers;
  if (origin !== undefined) return origins.mayHaveCredentials(request);
  return request.headers['sec-fetch-site'] === 'same-origin';
}

/** What a request in cookie mode is answered with that wants its answer bit by bit: that has its head, and no cookies, first. */
export function noCookiesInParts(): HttpError {
  return new HttpError(
    406,
    'BAD_REQUEST',
    'With "sauti-session: cookie" the answer is sent as a whole: leave multipart/mixed and text/event-stream out of Accept.',
  );
}
