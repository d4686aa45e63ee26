import type { HttpTransportOptions } from '../http-options';
import type { HttpTarget } from '../http-call';
import { subscriptionSchemes } from '../upstream-settings';
import { callbackSubscriptions } from './callback';
import { eventStreams } from './event-stream';
import { socketPool } from './socket-pool';
import type { SubscriptionSource } from './subscription-source';

/**
 * The subscriptions of one subgraph by the protocol of its settings. Throws when the address does not fit the protocol, or
 * callbacks have no address. `target` is where its queries go.
 */
export function subscriptionSource(options: HttpTransportOptions, target: HttpTarget): SubscriptionSource {
  const { name, subscriptionUrl, callbacks, settings } = options;
  const { protocol } = settings.subscriptions;
  const schemes = subscriptionSchemes(protocol);
  if (!URL.canParse(subscriptionUrl) || !schemes.includes(new URL(subscriptionUrl).protocol))
    throw new Error(
      `The subscriptions of the subgraph "${name}" need a URL with ${schemes.join(' or ')} for ${protocol}, not "${subscriptionUrl}".`,
    );
  switch (protocol) {
    case 'graphql-transport-ws':
      return socketPool(options);
    case 'sse':
      return eventStreams(options);
    case 'callback':
      if (!callbacks)
        throw new Error(
          `The subgraph "${name}" is to send events by callback, but nobody said where: set callback.publicUrl to the URL of this gateway as subgraphs see it.`,
        );
      return callbackSubscriptions(options, callbacks, target);
  }
}
