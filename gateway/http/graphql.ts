import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeaderMap, type ApolloServer } from '@apollo/server';
import type { GraphQLError } from 'graphql';
import { Cancellation } from '../../platform/cancellation';
import type { Viewer } from '../../platform/identity/viewer';
import type { Documents } from '../documents/documents';
import { isIncremental } from '../engine';
import type { CurrentGeneration } from '../generation';
import type { Caller } from '../execute/execution';
import type { GatewayLimits } from '../options';
import { voidToken, type AccessWatch } from '../viewer/access-watch';
import type { Identification } from '../viewer/identification';
import { readJsonBody } from './json-body';
import { receiveMultipart, type MultipartRequest } from './multipart';
import { HttpError, sendError } from './responses';
import { refuseSubscription } from './no-subscription';
import type { ContentTypes } from './content-types';
import { knownOperation } from './known-operation';
import { sendAnswer, sendPayloads } from './send-answer';
import { cookieWriter } from './session-cookies';
import { noCookiesInParts } from './cookie-guard';
import type { StreamRequest } from './streams/services';
import type { Streams } from './streams/streams';

export interface GraphqlEndpoint {
  apollo: ApolloServer<Caller>;
  current: CurrentGeneration;
  contentTypes: ContentTypes;
  /** Whether all requests have to pass through Apollo Server, because a plugin of the host sees each of them. */
  hasRequestPlugins: boolean;
  identification: Identification;
  access: Pick<AccessWatch, 'isVoid'>;
  limits: GatewayLimits;
  streams: Streams;
}

/** Answers one request to the GraphQL path, also one that never becomes an operation. */
export async function answerGraphql(
  endpoint: GraphqlEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  requestId: string,
): Promise<void> {
  try {
    await answerOperation(endpoint, request, response, url, requestId);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    sendError(response, error, requestId, endpoint.contentTypes(request.headers.accept)?.text);
  }
}

/** Throws an `HttpError` for what never becomes an operation. */
async function answerOperation(
  endpoint: GraphqlEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  requestId: string,
): Promise<void> {
  const { token, authorization, client, isCookieMode } = await endpoint.identification.identify(request, url);
  const viewer = token?.viewer ?? null;
  const asked: StreamRequest = { request, response, url, requestId, token, authorization, client, isCookieMode };
  if (await endpoint.streams.answerShared(asked)) return;
  const multipart = isMultipart(request) ? await receiveFiles(endpoint, request, viewer) : undefined;
  try {
    const body = withoutEmptyName(
      multipart ? multipart.body : request.method === 'POST' ? await readBody(endpoint, request) : undefined,
    );
    // A body may take long to arrive.
    if (token && endpoint.access.isVoid(token)) throw new HttpError(401, 'UNAUTHENTICATED', voidToken().message);
    if (!multipart && (await endpoint.streams.answerDistinct(asked, body))) return;
    const caller = callerOf(asked, viewer);
    if (!multipart && !endpoint.hasRequestPlugins && (await answerKnown(endpoint, request, response, body, caller)))
      return;
    refuseSubscription(
      endpoint.current().supergraph.apiSchema,
      endpoint.limits,
      request.method === 'GET' ? Object.fromEntries(url.searchParams) : body,
      endpoint.contentTypes(request.headers.accept) !== undefined,
    );
    const answer = await endpoint.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method ?? 'GET',
        headers: headersOf(request),
        search: searchOf(url),
        body,
      },
      context: async () => (multipart ? { ...caller, bodyReceived: multipart.received } : caller),
    });
    if (response.destroyed) return;
    response.statusCode = answer.status ?? 200;
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    // Apollo's page says itself what it may load.
    if (/^text\/html/.test(answer.headers.get('content-type') ?? ''))
      response.setHeader('content-security-policy', "frame-ancestors 'none'");
    response.setHeader('cache-control', 'private, no-store');
    if (answer.body.kind !== 'complete')
      throw new Error('Apollo Server made an incremental answer although @defer is off.');
    response.setHeader('content-length', Buffer.byteLength(answer.body.string));
    response.end(answer.body.string);
  } finally {
    multipart?.abandon();
  }
}

/**
 * Answers an operation of a document that is known to be valid without Apollo Server, which has nothing left to decide
 * about it and would cost more than the execution (docs/decisions/0011). With `@defer` and a client that takes parts the
 * document is read here, too. False when Apollo Server has to answer.
 */
async function answerKnown(
  { current, contentTypes }: GraphqlEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
  caller: Caller,
): Promise<boolean> {
  const { engine, documents, admission } = current();
  const inParts = takesParts(request);
  const contentType = contentTypes(request.headers.accept);
  if (inParts) readForParts(documents, body, !contentType);
  const known = knownOperation(documents, body);
  if (!known) return false;
  if (!contentType && !inParts) return false;
  const preparing = engine.prepare(known.request, known.inputs, caller);
  const prepared = preparing instanceof Promise ? await preparing : preparing;
  if ('errors' in prepared) return false;
  const isInParts = inParts && (!contentType || isIncremental(prepared));
  if (!isInParts && (!contentType || isIncremental(prepared))) return false;
  // Only what is answered here: Apollo Server's operations are counted there.
  const refusal = await admission?.admit(known.request, known.inputs, caller.identity);
  if (refusal) throw refusedBy(refusal);
  if (isInParts) {
    if (caller.onSession) throw noCookiesInParts();
    await sendPayloads(response, engine.executeIncrementally(prepared, caller));
    return true;
  }
  const answer = await engine.execute(prepared, caller);
  if (!response.destroyed) sendAnswer(response, answer, contentType!.text);
  return true;
}

/** Whether the client takes an answer in parts. */
function takesParts({ headers: { accept } }: IncomingMessage): boolean {
  return accept !== undefined && /multipart\/mixed[^,]*;\s*deferSpec="?20220824"?/i.test(accept);
}

/** Apollo Server cannot answer in parts: what is to be answered so is read here the first time, too. */
function readForParts(documents: Documents, body: unknown, onlyParts: boolean): void {
  const { query } = (body ?? {}) as { query?: unknown };
  if (typeof query === 'string' && (onlyParts || query.includes('@defer'))) documents.read(query);
}

/** An empty name is none (GraphQL over HTTP, section GET); to Apollo Server it is that of an unknown operation. */
function withoutEmptyName(body: unknown): unknown {
  if ((body as { operationName?: unknown } | null | undefined)?.operationName !== '') return body;
  return { ...(body as object), operationName: null };
}

function callerOf(
  { request: { headers }, response, requestId, ...asked }: StreamRequest,
  viewer: Viewer | null,
): Caller {
  const { authorization, client, isCookieMode } = asked;
  const controller = leavingController(response);
  const identity = { viewer, requestId, ...(client ? { client } : {}) };
  const onSession = isCookieMode ? cookieWriter(response) : undefined;
  return { identity, authorization, headers, onSession, signal: controller, controller };
}

/** A refusal of an operation that was not run. */
function refusedBy({ message, extensions }: GraphQLError): HttpError {
  const { code, retryAfterMs, http } = extensions as { code: string; retryAfterMs: number; http: { status: number } };
  return new HttpError(http.status, code, message, { retryAfterMs });
}

/** Aborts when the connection closes before the answer is out. */
function leavingController(response: ServerResponse): Cancellation {
  const left = new Cancellation();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new Error('The client closed the connection.'));
  });
  return left;
}

function isMultipart(request: IncomingMessage): boolean {
  return request.method === 'POST' && /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
}

/** Uploads are for signed-in viewers, and never for a plain HTML form on another site: both are known before the body is read. */
async function receiveFiles(
  { identification, limits }: GraphqlEndpoint,
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
  if (identification.hasViewers && !viewer)
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

/** An empty operation name is none; see `withoutEmptyName`. */
function searchOf({ search, searchParams }: URL): string {
  if (!search.includes('operationName=')) return search;
  const rest = new URLSearchParams(searchParams);
  if (rest.getAll('operationName').join() === '') rest.delete('operationName');
  return `?${rest}`;
}

function headersOf(request: IncomingMessage): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
