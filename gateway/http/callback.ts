import type { IncomingMessage } from 'node:http';
import { tooLarge } from '../fetch/decode';
import type { CallbackOutcome, CallbackSubscription } from '../fetch/subscriptions/callback-subscription';
import { CALLBACK_PATH, type Callbacks } from '../fetch/subscriptions/callbacks';
import type { GatewayLimits } from '../options';
import type { Page } from './handler';
import { readJsonBody } from './json-body';
import { HttpError } from './responses';

/** The highest version that is spoken; every answer says so. */
const VERSION = { 'subscription-protocol': 'callback/1.0' };

const REFUSALS: Record<Exclude<CallbackOutcome, 'taken'>, HttpError> = {
  unknown: new HttpError(404, 'NOT_FOUND', 'There is no such subscription.'),
  unproven: new HttpError(400, 'BAD_REQUEST', 'The verifier is not the one of this subscription.'),
  malformed: new HttpError(400, 'BAD_REQUEST', 'The body is no message of the HTTP callback protocol.'),
};

/**
 * Takes the events that subgraphs send by Apollo's HTTP callback protocol: 204 for a message that was taken, 404 where the
 * subscription has ended or never was, 400 for a wrong verifier and for what is no message. A body is read only for
 * a subscription that is open.
 */
export function callbackPage(callbacks: Callbacks, { bodyIdleMs }: Pick<GatewayLimits, 'bodyIdleMs'>): Page {
  return async (request, response, url) => {
    const subscription = callbacks.find(url.pathname.slice(CALLBACK_PATH.length));
    if (!subscription) throw REFUSALS.unknown;
    const outcome = await subscription.receive(read(request, subscription, bodyIdleMs));
    if (outcome !== 'taken') throw REFUSALS[outcome];
    response.writeHead(204, VERSION).end();
  };
}

async function read(
  request: IncomingMessage,
  subscription: CallbackSubscription,
  idleMs: number,
): Promise<{ message: unknown; sizeBytes: number }> {
  const maxBytes = subscription.maxEventBytes;
  try {
    const message = await readJsonBody(request, { maxBytes, idleMs });
    // A chunked body has no length of its own.
    const sizeBytes = Number(request.headers['content-length'] ?? JSON.stringify(message)?.length ?? 0);
    return { message, sizeBytes };
  } catch (error) {
    // This event is lost for good; what would follow it must not look complete.
    if (error instanceof HttpError && error.status === 413) subscription.end(tooLarge(maxBytes));
    throw error;
  }
}
