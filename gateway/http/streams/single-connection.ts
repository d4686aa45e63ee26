import { GraphQLError, OperationTypeNode } from 'graphql';
import { MAX_ID_LENGTH } from '../../operations/operation-id';
import type { OperationPayload } from '../../operations/operations';
import { formatErrors } from '../format-error';
import { readJsonBody } from '../json-body';
import { HttpError, sendJson, setRetryAfter } from '../responses';
import { noCookiesInParts } from '../cookie-guard';
import { acceptedStream } from './accept';
import { SHARED_EVENTS } from './event-stream';
import { checkOrigin, checkTurn, mutationByGet, refuseTokenInUrl } from './guards';
import { checkPayload, readSearch } from './operation-payload';
import { operationType } from './operation-type';
import { refusalStatus } from './refusal-status';
import type { StreamRequest, StreamServices } from './services';
import { StreamConnection } from './stream-connection';

export const STREAM_TOKEN_HEADER = 'x-graphql-event-stream-token';

/** GraphQL over SSE, single connection mode (graphql-sse, PROTOCOL.md). Throws an `HttpError`. */
export async function answerShared(services: StreamServices, asked: StreamRequest): Promise<void> {
  const { request, response, url } = asked;
  checkOrigin(request, services.origins);
  refuseTokenInUrl(url);
  const connection = services.reservations.find(streamToken(asked));
  if (request.method === 'PUT') return reserve(services, asked, connection);
  // With the token alone an EventSource gets its stream, which cannot say who it is. Whoever says so has to be the same.
  const isClaim = request.method === 'GET' && acceptedStream(request.headers.accept)?.type === 'events';
  if (!connection || (!(isClaim && asked.token === null) && !connection.belongsTo(asked.token)))
    throw new HttpError(404, 'NOT_FOUND', 'There is no such stream. Reserve one with PUT.');
  if (isClaim) return claim(services, connection, asked);
  if (request.method !== 'DELETE') return execute(services, connection, asked);
  const id = url.searchParams.get('operationId');
  if (!id) throw new HttpError(400, 'BAD_REQUEST', 'Say which operation is to end: operationId=<id>.');
  connection.stop(id);
  response.writeHead(200, { 'content-length': 0, 'cache-control': 'no-store' }).end();
}

function streamToken({ request, url }: StreamRequest): string | undefined {
  const header = request.headers[STREAM_TOKEN_HEADER];
  return typeof header === 'string' ? header : (url.searchParams.get('token') ?? undefined);
}

function reserve(
  { connections, reservations, wheels }: StreamServices,
  { response, token, authorization }: StreamRequest,
  known: StreamConnection | undefined,
): void {
  if (known?.belongsTo(token)) throw new HttpError(409, 'CONFLICT', 'This stream is reserved already.');
  if (reservations.isFull) throw new HttpError(503, 'OVERLOADED', 'Too many streams are reserved. Try again later.');
  let forget = (): void => {};
  const connection = new StreamConnection({
    wire: SHARED_EVENTS,
    token,
    authorization,
    isDistinct: false,
    onGone: () => forget(),
  });
  const registered = connections.open(connection);
  if (registered instanceof GraphQLError)
    throw new HttpError(refusalStatus([registered]), String(registered.extensions['code']), registered.message);
  connection.register(registered);
  const streamToken = reservations.add(connection);
  const leaveWheel = wheels.events.add(connection);
  forget = () => {
    leaveWheel();
    reservations.remove(streamToken);
  };
  response.writeHead(201, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(streamToken),
    'cache-control': 'no-store',
    'x-connection-id': registered.id,
  });
  response.end(streamToken);
}

function claim({ reservations }: StreamServices, connection: StreamConnection, { response }: StreamRequest): void {
  checkTurn(response);
  if (connection.stream.isAttached) throw new HttpError(409, 'CONFLICT', 'This stream is open already.');
  reservations.claimed(connection);
  connection.open(response);
}

async function execute(services: StreamServices, connection: StreamConnection, asked: StreamRequest): Promise<void> {
  if (asked.isCookieMode) throw noCookiesInParts();
  const { request, response, requestId } = asked;
  const contentType = services.contentTypes(request.headers.accept);
  if (!contentType) throw new HttpError(406, 'BAD_REQUEST', 'An operation on a stream is answered in JSON.');
  const payload = await readPayload(services, asked);
  const id = operationId(payload.extensions?.['operationId']);
  const type = operationType(services, payload);
  if (request.method === 'GET' && type === OperationTypeNode.MUTATION) throw mutationByGet(response);
  admit(services, connection, id);
  const isSubscription = type === OperationTypeNode.SUBSCRIPTION;
  const options = { id, isSubscription, requestId, headers: request.headers, client: asked.client };
  const errors = await connection.start(services.operations, payload, options);
  if (!errors) return void response.writeHead(202, { 'content-length': 0, 'cache-control': 'no-store' }).end();
  setRetryAfter(response, 200, errors[0]?.extensions['retryAfterMs'] as number | undefined);
  const status = contentType.isNamedJson ? 200 : refusalStatus(errors);
  sendJson(response, status, { errors: formatErrors(errors) }, contentType.text);
}

async function readPayload({ limits }: StreamServices, { request, url }: StreamRequest): Promise<OperationPayload> {
  if (request.method === 'GET') return readSearch(url);
  const body = await readJsonBody(request, { maxBytes: limits.maxBodyBytes, idleMs: limits.bodyIdleMs });
  if (body === undefined) throw new HttpError(415, 'BAD_REQUEST', 'The content type must be application/json.');
  return checkPayload(body);
}

/** Throws an `HttpError` when the stream cannot have an operation of this id. */
function admit({ limits }: StreamServices, connection: StreamConnection, id: string): void {
  if (!connection.isOpen) throw new HttpError(503, 'STOPPING', 'This stream is ending. Reserve another one.');
  if (connection.has(id)) throw new HttpError(409, 'CONFLICT', 'An operation with this id is under way.');
  const most = limits.maxOperationsPerSocket;
  if (connection.size < most) return;
  throw new HttpError(429, 'SUBSCRIPTION_LIMIT', `At most ${most} operations may be open on one stream.`);
}

function operationId(given: unknown): string {
  const id = typeof given === 'string' || typeof given === 'number' ? String(given) : '';
  if (id === '' || id.length > MAX_ID_LENGTH)
    throw new HttpError(400, 'BAD_REQUEST', 'Name the operation: a short extensions.operationId.');
  return id;
}
