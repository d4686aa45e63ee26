import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeaderMap, type ApolloServer } from '@apollo/server';
import type { GraphQLSchema } from 'graphql';
import { SautiError } from '../../platform/errors';
import type { Viewer } from '../../platform/identity/viewer';
import type { Caller } from '../execute/execution';
import type { Authenticate, GatewayLimits } from '../options';
import { readJsonBody } from './json-body';
import { receiveMultipart, type MultipartRequest } from './multipart';
import { HttpError } from './responses';
import { refuseSubscription } from './no-subscription';

export interface GraphqlEndpoint {
  apollo: ApolloServer<Caller>;
  schema: GraphQLSchema;
  authenticate: Authenticate | undefined;
  limits: GatewayLimits;
}

/** Answers one request to the GraphQL path. Throws an `HttpError` for what never becomes an operation. */
export async function answerGraphql(
  endpoint: GraphqlEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  requestId: string,
): Promise<void> {
  const { headers } = request;
  const { authorization } = headers;
  const viewer = await identify(endpoint.authenticate, authorization);
  const caller: Caller = { identity: { viewer, requestId }, authorization, headers, signal: leavingSignal(response) };
  const multipart = isMultipart(request) ? await receiveFiles(endpoint, request, viewer) : undefined;
  try {
    const body = multipart ? multipart.body : request.method === 'POST' ? await readBody(endpoint, request) : undefined;
    refuseSubscription(
      endpoint.schema,
      endpoint.limits,
      request.method === 'GET' ? Object.fromEntries(url.searchParams) : body,
    );
    const answer = await endpoint.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method ?? 'GET',
        headers: headersOf(request),
        search: url.search,
        body,
      },
      context: async () => (multipart ? { ...caller, bodyReceived: multipart.received } : caller),
    });
    if (response.destroyed) return;
    response.statusCode = answer.status ?? 200;
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    response.setHeader('cache-control', 'private, no-store');
    if (answer.body.kind !== 'complete')
      throw new Error('Apollo Server made an incremental answer although @defer is off.');
    response.setHeader('content-length', Buffer.byteLength(answer.body.string));
    response.end(answer.body.string);
  } finally {
    multipart?.abandon();
  }
}

/** Who asks, or an `HttpError`: 401 for a token that is not good, 503 when that cannot be found out. */
async function identify(
  authenticate: Authenticate | undefined,
  authorization: string | undefined,
): Promise<Viewer | null> {
  try {
    return (await authenticate?.(authorization))?.viewer ?? null;
  } catch (error) {
    if (!(error instanceof SautiError)) throw error;
    throw new HttpError(error.code === 'UNAUTHENTICATED' ? 401 : 503, error.code, error.message, { cause: error });
  }
}

/** Aborts when the connection closes before the answer is out. */
function leavingSignal(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new Error('The client closed the connection.'));
  });
  return left.signal;
}

function isMultipart(request: IncomingMessage): boolean {
  return request.method === 'POST' && /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
}

/** Uploads are for signed-in viewers, and never for a plain HTML form on another site: both are known before the body is read. */
async function receiveFiles(
  { authenticate, limits }: GraphqlEndpoint,
  request: IncomingMessage,
  viewer: Viewer | null,
): Promise<MultipartRequest> {
  if (!request.headers['apollo-require-preflight'] && !request.headers['x-apollo-operation-name']) {
    throw new HttpError(
      400,
      'BAD_REQUEST',
      'Send the header "apollo-require-preflight: true" with multipart requests (CSRF prevention).',
    );
  }
  if (authenticate && !viewer)
    throw new HttpError(401, 'UNAUTHENTICATED', 'Sign in to upload files: send a valid access token.');
  if (request.headers['content-encoding'] !== undefined)
    throw new HttpError(415, 'BAD_REQUEST', 'A compressed body is not accepted.');
  return receiveMultipart(request, {
    maxFileBytes: limits.maxFileBytes,
    maxFiles: limits.maxFiles,
    idleMs: limits.bodyIdleMs,
  });
}

function readBody({ limits }: GraphqlEndpoint, request: IncomingMessage): Promise<unknown> {
  return readJsonBody(request, { maxBytes: limits.maxBodyBytes, idleMs: limits.bodyIdleMs });
}

function headersOf(request: IncomingMessage): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
