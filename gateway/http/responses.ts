import type { ServerResponse } from 'node:http';

/** A request that cannot be answered as it is; becomes a JSON error with this status. */
export class HttpError extends Error {
  /** When another attempt may do better, in milliseconds; undefined: there is no telling. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.name = 'HttpError';
  }
}

/** Sends a JSON body, unless an answer is already under way. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  contentType = 'application/json; charset=utf-8',
): void {
  if (response.headersSent || response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** Sends the one error of a request in the shape of a GraphQL error. */
export function sendError(
  response: ServerResponse,
  error: Pick<HttpError, 'status' | 'code' | 'message'> & { retryAfterMs?: number | undefined },
  requestId: string,
  contentType?: string,
): void {
  const { retryAfterMs } = error;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const body = { errors: [{ message: error.message, extensions: { code: error.code, requestId, ...wait } }] };
  if (!response.headersSent) setRetryAfter(response, error.status, retryAfterMs);
  sendJson(response, error.status, body, contentType);
}

/** Seconds after which who was refused with 503 may come back, where nothing better is known. */
const UNAVAILABLE_RETRY_S = 1;

/** Says when to come back (RFC 9110 §10.2.3): always with 503, else where it is known. */
export function setRetryAfter(response: ServerResponse, status: number, retryAfterMs: number | undefined): void {
  if (retryAfterMs !== undefined) response.setHeader('retry-after', String(Math.ceil(retryAfterMs / 1_000)));
  else if (status === 503 && !response.hasHeader('retry-after'))
    response.setHeader('retry-after', String(UNAVAILABLE_RETRY_S));
}
