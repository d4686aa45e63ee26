import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { filter } from 'rxjs';
import { createResumingClient, type ResumingOptions, type StreamResult } from '../resume';
import { authorizedFetch } from './fetch';
import { resuming } from './graphql-ws';

type Extensions = NonNullable<StreamResult['extensions']>;
export interface ApolloOptions extends ResumingOptions {
  /** Events were lost: read the state anew. A result that says only this is not passed on: Apollo Client would show the event before it again. */
  onGap?: (gap: NonNullable<Extensions['gap']>, operation: ApolloLink.Operation) => void;
}

/** Apollo Client 4 with subscriptions over WebSocket, and everything else over HTTP. `url` begins with `http`. */
export function createApolloClient({ url, token, onGap, ...options }: ApolloOptions): ApolloClient {
  const socket = createResumingClient({ ...options, url: url.replace(/^http/, 'ws'), token });
  const gaps = new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      filter(({ data, extensions }) => {
        const { gap } = (extensions ?? {}) as Extensions;
        if (gap) onGap?.(gap, operation);
        return !gap || data != null;
      }),
    ),
  );
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      ApolloLink.from([gaps, new GraphQLWsLink(resuming(socket, options))]),
      new HttpLink({ uri: url, fetch: authorizedFetch(token) }),
    ),
  });
}
