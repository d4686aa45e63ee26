import type { ServerResponse } from 'node:http';

/** A request that cannot be answered as it is; becomes a JSON error with this status. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
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
  error: Pick<HttpError, 'status' | 'code' | 'message'>,
  requestId: string,
  contentType?: string,
): void {
  const body = { errors: [{ message: error.message, extensions: { code: error.code, requestId } }] };
  sendJson(response, error.status, body, contentType);
}
