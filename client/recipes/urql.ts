import {
  cacheExchange,
  Client,
  fetchExchange,
  makeErrorResult,
  makeOperation,
  makeResult,
  stringifyDocument,
} from '@urql/core';
import type { Exchange, ExecutionResult, Operation, OperationResult } from '@urql/core';
import type { Client as StreamClient, SubscribePayload } from 'graphql-ws';
import { filter, make, merge, mergeMap, pipe, takeUntil, type Source } from 'wonka';
import { createResumingClient, type ResumingOptions } from '../resume';
import { authorizedFetch } from './fetch';
import { resuming } from './graphql-ws';

/** urql with subscriptions over WebSocket, and everything else over HTTP. `url` begins with `http`. */
export function createUrqlClient({ url, token, ...options }: ResumingOptions): Client {
  const socket = createResumingClient({ ...options, url: url.replace(/^http/, 'ws'), token });
  return new Client({
    url,
    fetch: authorizedFetch(token),
    preferGetMethod: false,
    exchanges: [cacheExchange, fetchExchange, streamExchange(resuming(socket, options))],
  });
}

/**
 * In the place of urql's `subscriptionExchange`, which takes a result for a patch of the one before: it would show an event
 * again when the next one has no data or the stream completes, and keep its errors and extensions for all that follow.
 */
function streamExchange(streams: StreamClient): Exchange {
  const isStream = ({ kind }: Operation): boolean => kind === 'subscription';
  return ({ client, forward }) =>
    (operations) => {
      const results = (operation: Operation): Source<OperationResult> =>
        make((observer) => {
          const { query, variables, extensions = {} } = operation;
          const payload = { query: stringifyDocument(query), variables, extensions } as SubscribePayload;
          const end = (): void => {
            client.reexecuteOperation(makeOperation('teardown', operation));
            observer.complete();
          };
          return streams.subscribe(payload, {
            next: (result) => observer.next(makeResult(operation, result as ExecutionResult)),
            error: (error) => (observer.next(makeErrorResult(operation, error as Error)), end()),
            complete: end,
          });
        });
      const endOf = ({ key }: Operation) => filter((each: Operation) => each.kind === 'teardown' && each.key === key);
      return merge([
        pipe(
          operations,
          filter(isStream),
          mergeMap((operation) => pipe(results(operation), takeUntil(endOf(operation)(operations)))),
        ),
        pipe(
          operations,
          filter((operation) => !isStream(operation)),
          forward,
        ),
      ]);
    };
}
