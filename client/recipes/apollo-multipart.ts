import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import {
  CombinedGraphQLErrors,
  CombinedProtocolErrors,
  graphQLResultHasProtocolErrors,
  PROTOCOL_ERRORS_SYMBOL,
  ServerError,
} from '@apollo/client/errors';
import { OperationTypeNode } from 'graphql';
import { defer, filter, map, retry, throwError, timer } from 'rxjs';
import { isPassing, waitMs, type StreamResult } from '../resume';
import { authorizedFetch, streamingFetch, type Token } from './fetch';

type Extensions = NonNullable<StreamResult['extensions']>;
export interface ApolloOptions {
  /** e.g. `https://sauti.example/graphql` */
  url: string;
  token: Token;
  /** How often in a row a subscription is opened again. Default: for ever. */
  retryAttempts?: number;
  /** Events were lost: read the state anew. A result that says only this is not passed on: Apollo Client would show the event before it again. */
  onGap?: (gap: NonNullable<Extensions['gap']>, operation: ApolloLink.Operation) => void;
}

/** Apollo Client 4 with everything over HTTP: its own link asks for subscriptions as multipart answers. */
export function createApolloClient({ url, token, onGap, retryAttempts = Infinity }: ApolloOptions): ApolloClient {
  let wasEnded = false;
  const send = authorizedFetch((wasRefused) => {
    const mustBeNew = wasRefused || wasEnded;
    wasEnded = false;
    return token(mustBeNew);
  });

  const follow = (operation: ApolloLink.Operation, result: ApolloLink.Result): ApolloLink.Result => {
    if (graphQLResultHasProtocolErrors(result)) {
      const ended = result.extensions[PROTOCOL_ERRORS_SYMBOL] as CombinedProtocolErrors;
      wasEnded ||= ended.errors.some(({ extensions }) => extensions?.['code'] === 'UNAUTHENTICATED');
      throw ended;
    }
    const { cursor, gap } = (result.extensions ?? {}) as Extensions;
    if (result.data == null && cursor === undefined && isPassing(result)) throw new CombinedGraphQLErrors(result);
    // The next request says where to go on.
    if (cursor !== undefined) operation.extensions = { ...operation.extensions, cursor };
    if (gap) onGap?.(gap, operation);
    return result;
  };

  const resuming = new ApolloLink((operation, forward) =>
    defer(() => forward(operation)).pipe(
      map((result) => follow(operation, result)),
      filter(({ data, errors }) => data != null || errors !== undefined),
      retry({
        delay: (error: unknown, retries) =>
          isLost(error) && retries <= retryAttempts ? timer(waitMs(retries - 1)) : throwError(() => error),
        resetOnSuccess: true,
      }),
    ),
  );
  const http = new HttpLink({ uri: url, fetch: streamingFetch(send) });
  const isSubscription = ({ operationType }: ApolloLink.Operation): boolean =>
    operationType === OperationTypeNode.SUBSCRIPTION;
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(isSubscription, resuming).concat(http),
  });
}

/** `fetch` throws a TypeError for every failure of the network. */
function isLost(error: unknown): boolean {
  if (ServerError.is(error)) return error.statusCode >= 500;
  if (CombinedProtocolErrors.is(error)) return true;
  return CombinedGraphQLErrors.is(error) ? isPassing(error) : (error as Error).name === 'TypeError';
}
