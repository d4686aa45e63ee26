import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createResumingClient, type ResumingOptions } from '../resume';
import { authorizedFetch } from './fetch';
import { resuming } from './graphql-ws';

/** urql with subscriptions over WebSocket, and everything else over HTTP. `url` begins with `http`. */
export function createUrqlClient({ url, token, ...options }: ResumingOptions): Client {
  const socket = createResumingClient({ ...options, url: url.replace(/^http/, 'ws'), token });
  const streams = resuming(socket, options);
  const subscriptions = subscriptionExchange({
    forwardSubscription: ({ query = '', variables, extensions }) => ({
      subscribe: (sink) => ({
        unsubscribe: streams.subscribe(
          { query, variables: variables as Record<string, unknown>, extensions: { ...extensions } },
          sink as Parameters<typeof streams.subscribe>[1],
        ),
      }),
    }),
  });
  return new Client({
    url,
    fetch: authorizedFetch(token),
    preferGetMethod: false,
    exchanges: [cacheExchange, fetchExchange, subscriptions],
  });
}
