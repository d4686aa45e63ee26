import { returnable } from '../../../platform/returnable';
import { readAnswer } from '../answer';
import { callHeaders } from '../caller-identity';
import type { HttpTransportOptions } from '../http-options';
import { HttpCall, type HttpRequest, type HttpTarget } from '../http-call';
import { SubgraphError, type SubgraphAnswer, type SubgraphCall } from '../transport';
import type { CallbackSubscription } from './callback-subscription';
import type { Callbacks } from './callbacks';
import type { SubscriptionSource } from './subscription-source';

const HEADERS = ['content-type', 'application/json', 'accept', 'application/json;callbackSpec=1.0'];

/**
 * Subscriptions by Apollo's HTTP callback protocol: the operation is sent over the connections that queries use, and the
 * events arrive as requests to this gateway. Nothing is open in between; heartbeats tell whether the subgraph still serves.
 */
export function callbackSubscriptions(
  options: HttpTransportOptions,
  callbacks: Callbacks,
  { pool }: HttpTarget,
): SubscriptionSource {
  const { ackMs } = options.settings.subscriptions;
  const { pathname, search } = new URL(options.subscriptionUrl);
  const { maxAnswerBytes } = options.settings;
  const target: HttpTarget = { pool, path: pathname + search, maxAnswerBytes, breaker: null };
  const open = new Set<CallbackSubscription>();

  async function* stream(call: SubgraphCall, signal: AbortSignal): AsyncGenerator<SubgraphAnswer, void, void> {
    if (signal.aborted) return;
    const subscription = callbacks.add(maxAnswerBytes);
    open.add(subscription);
    const { bodyStart } = call.operation;
    const extensions = JSON.stringify({ subscription: subscription.extension });
    const body = `${bodyStart}${call.variablesText()},"extensions":${extensions}}`;
    try {
      send(target, {
        headers: [...HEADERS, ...callHeaders(options, call, body)],
        body,
        deadlineMs: ackMs,
        retries: 0,
        signal,
        read: (status, text) => readAnswer(status, text, options.signCall !== undefined),
      }).then(
        (answer) => subscription.begin(answer),
        (error: SubgraphError) => subscription.end(error),
      );
      yield* subscription.queue.read(signal);
    } finally {
      open.delete(subscription);
      callbacks.remove(subscription);
    }
  }
  return {
    subscribe: (call) => returnable(call.signal, (signal) => stream(call, signal)),
    dispose: async () => open.forEach((subscription) => subscription.end(disposed())),
  };
}

function send(target: HttpTarget, request: HttpRequest<SubgraphAnswer>): Promise<SubgraphAnswer> {
  return new Promise((resolve, reject) => new HttpCall(target, request, resolve, reject).start());
}

function disposed(): SubgraphError {
  return new SubgraphError('SUBGRAPH_UNAVAILABLE', 'its subscriptions were closed by the gateway');
}
