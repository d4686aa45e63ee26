import { GraphQLError, OperationTypeNode } from 'graphql';
import type { OperationPayload } from '../../operations/operations';
import { formatErrors } from '../format-error';
import { HttpError, sendJson, setRetryAfter } from '../responses';
import { noCookiesInParts } from '../cookie-guard';
import { acceptedStream, type AcceptedStream, type StreamType } from './accept';
import { DISTINCT_EVENTS } from './event-stream';
import { checkOrigin, checkTurn, mutationByGet, preventForgery, refuseTokenInUrl } from './guards';
import { MULTIPART } from './multipart-stream';
import { checkPayload, readSearch, withLastEventId } from './operation-payload';
import { operationType } from './operation-type';
import { refusalStatus } from './refusal-status';
import type { StreamRequest, StreamServices } from './services';
import { StreamConnection } from './stream-connection';

const WIRES = { events: DISTINCT_EVENTS, multipart: MULTIPART };
/** Its only operation needs no name. */
const ID = '';

/** See `Streams.answerDistinct`. */
export async function answerDistinct(services: StreamServices, asked: StreamRequest, body: unknown): Promise<boolean> {
  const { request, response, url } = asked;
  const accepted = acceptedStream(request.headers.accept);
  if (!accepted) return false;
  const isGet = request.method === 'GET';
  const given: { query?: unknown } = isGet ? Object.fromEntries(url.searchParams) : (body ?? {});
  const type = operationType(services, given);
  if (!isStreamed(services, accepted, type, request.headers.accept)) return false;
  checkTurn(response);
  checkOrigin(request, services.origins);
  refuseTokenInUrl(url);
  if (asked.isCookieMode) throw noCookiesInParts();
  preventForgery(request);
  if (isGet && type === OperationTypeNode.MUTATION) throw mutationByGet(response);
  // Content types of plain HTML forms: their bodies are not read.
  if (!isGet && body === undefined)
    throw new HttpError(415, 'BAD_REQUEST', 'The content type must be application/json.');
  const payload = withLastEventId(isGet ? readSearch(url) : checkPayload(body), request);
  await stream(services, asked, accepted.type, { payload, isSubscription: type === OperationTypeNode.SUBSCRIPTION });
  return true;
}

/** Subscriptions always are. Other operations where nothing else would do, or the client likes events best. */
function isStreamed(
  { contentTypes }: StreamServices,
  { type, isPreferred }: AcceptedStream,
  operation: OperationTypeNode | undefined,
  accept: string | undefined,
): boolean {
  if (operation === OperationTypeNode.SUBSCRIPTION) return true;
  return type === 'events' && (isPreferred || !contentTypes(accept));
}

async function stream(
  { operations, connections, contentTypes, wheels }: StreamServices,
  asked: StreamRequest,
  type: StreamType,
  { payload, isSubscription }: { payload: OperationPayload; isSubscription: boolean },
): Promise<void> {
  const { response, request } = asked;
  let leaveWheel = (): void => {};
  const connection = new StreamConnection({
    wire: WIRES[type],
    token: asked.token,
    authorization: asked.authorization,
    isDistinct: true,
    onGone: () => leaveWheel(),
  });
  leaveWheel = wheels[type].add(connection);
  const refuse = (errors: readonly GraphQLError[]): void => {
    const formatted = formatErrors(errors);
    // An event stream tells it in its own words: an EventSource shows nothing of an answer that is none.
    const contentType = type === 'multipart' ? contentTypes(request.headers.accept) : undefined;
    if (!contentType) return connection.refuse(response, formatted);
    connection.abandon();
    setRetryAfter(response, 200, errors[0]?.extensions['retryAfterMs'] as number | undefined);
    sendJson(response, contentType.isNamedJson ? 200 : refusalStatus(errors), { errors: formatted }, contentType.text);
  };
  const registered = connections.open(connection);
  if (registered instanceof GraphQLError) {
    if (registered.extensions['code'] !== 'STOPPING') return refuse([registered]);
    connection.end('GOING_AWAY');
    return connection.open(response);
  }
  connection.register(registered);
  const options = {
    id: ID,
    isSubscription,
    requestId: asked.requestId,
    headers: request.headers,
    client: asked.client,
  };
  const errors = await connection.start(operations, payload, options).catch((error: unknown) => {
    connection.abandon();
    throw error;
  });
  if (errors) refuse(errors);
  else connection.open(response);
}
