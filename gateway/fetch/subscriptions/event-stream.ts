import { Pool } from 'undici';
import { returnable } from '../../../platform/returnable';
import { callHeaders } from '../caller-identity';
import type { HttpTransportOptions } from '../http-options';
import type { SubgraphAnswer, SubgraphCall } from '../transport';
import { EventStreamCall } from './event-stream-call';
import type { SubscriptionSource } from './subscription-source';

/** graphql-sse serves an event stream only to those who take nothing else; a refusal may be JSON all the same. */
const HEADERS = ['content-type', 'application/json', 'accept', 'text/event-stream', 'cache-control', 'no-cache'];

/**
 * Subscriptions by server-sent events (GraphQL over SSE, "distinct connections mode"): one POST and one connection for
 * each, outside of the connections that queries share, because each lasts as long as its subscription.
 */
export function eventStreams(options: HttpTransportOptions): SubscriptionSource {
  const { ackMs, keepAliveMs } = options.settings.subscriptions;
  const { origin, pathname, search } = new URL(options.subscriptionUrl);
  const pool = new Pool(origin, {
    pipelining: 1,
    // A connection whose stream has ended is rarely needed again.
    keepAliveTimeout: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    // TCP asks after this silence and then every second; nine more unanswered ones end the connection.
    connect: { timeout: ackMs, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
  });

  async function* stream(call: SubgraphCall, signal: AbortSignal): AsyncGenerator<SubgraphAnswer, void, void> {
    if (signal.aborted) return;
    const body = `${call.operation.bodyStart}${call.variablesText()}}`;
    const events = new EventStreamCall({
      ackMs,
      keepAliveMs,
      maxEventBytes: options.settings.maxAnswerBytes,
      isSigned: options.signCall !== undefined,
    });
    const headers = [...HEADERS, ...callHeaders(options, call, body)];
    pool.dispatch({ path: pathname + search, method: 'POST', headers, body }, events);
    try {
      yield* events.queue.read(signal);
    } finally {
      events.close();
    }
  }
  return {
    subscribe: (call) => returnable(call.signal, (signal) => stream(call, signal)),
    dispose: () => pool.destroy(),
  };
}
