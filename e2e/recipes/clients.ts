import { CombinedGraphQLErrors, gql } from '@apollo/client';
import type { ApolloClient } from '@apollo/client';
import { onEnd, pipe, subscribe as onResult } from 'wonka';
import WebSocket from 'ws';
import { createApolloClient as createMultipartApollo } from '../../client/recipes/apollo-multipart';
import { createApolloClient as createSocketApollo } from '../../client/recipes/apollo-websocket';
import { authorizedFetch, type Token } from '../../client/recipes/fetch';
import { createEventStreamClient } from '../../client/recipes/graphql-sse';
import { resuming } from '../../client/recipes/graphql-ws';
import { createNetwork } from '../../client/recipes/relay';
import { createUrqlClient } from '../../client/recipes/urql';
import { createResumingClient, type StreamResult } from '../../client/resume';

/** What a test sees of a client. */
export interface Heard {
  next(result: StreamResult): void;
  /** The code in the client's own kind of error, or its message where it has none. */
  error(code: string): void;
  complete(): void;
}

/** A client as its recipe makes it, behind the few words that all of them share. */
export interface RecipeClient {
  /** Data of a query or mutation. */
  request(document: string, variables: Record<string, unknown>): Promise<unknown>;
  /** Answers how to leave. */
  subscribe(query: string, variables: Record<string, unknown>, heard: Heard): () => void;
}
export type Recipe = (url: string, token: Token, onGap: () => void) => RecipeClient;

export const RECIPES: Record<string, Recipe> = {
  'graphql-ws': (url, token) => {
    const client = resuming(createResumingClient({ url: url.replace('http', 'ws'), token, webSocketImpl: WebSocket }));
    return {
      request: requestByFetch(url, token),
      subscribe: (query, variables, heard) => client.subscribe({ query, variables }, plainSink(heard)),
    };
  },
  'graphql-sse': (url, token) => eventStreamRecipe(url, token, false),
  'graphql-sse, single connection': (url, token) => eventStreamRecipe(url, token, true),
  'Apollo Client over WebSocket': (url, token, onGap) =>
    apolloRecipe(createSocketApollo({ url, token, onGap, webSocketImpl: WebSocket })),
  'Apollo Client over multipart HTTP': (url, token, onGap) =>
    apolloRecipe(createMultipartApollo({ url, token, onGap })),
  urql(url, token) {
    const client = createUrqlClient({ url, token, webSocketImpl: WebSocket });
    return {
      async request(document, variables) {
        const { data, error } = isMutation(document)
          ? await client.mutation<unknown>(document, variables)
          : await client.query<unknown>(document, variables);
        if (error) throw error;
        return data;
      },
      subscribe(query, variables, heard) {
        const subscription = pipe(
          client.subscription<unknown>(query, variables),
          onEnd(() => heard.complete()),
          onResult(({ data, error, extensions }) => {
            if (error && !data) heard.error(codeOf(error.graphQLErrors[0]) ?? error.message);
            else heard.next({ data, extensions: { ...extensions } });
          }),
        );
        return () => subscription.unsubscribe();
      },
    };
  },
  'Relay’s network layer'(url, token) {
    const network = createNetwork({ url, token, webSocketImpl: WebSocket });
    const execute = (
      operationKind: 'query' | 'mutation' | 'subscription',
      text: string,
      variables: Record<string, unknown>,
    ) =>
      network.execute(
        { cacheID: text, id: null, text, name: nameOf(text), operationKind, metadata: {} },
        variables,
        {},
      );
    return {
      async request(document, variables) {
        const response = await execute(isMutation(document) ? 'mutation' : 'query', document, variables).toPromise();
        return (response as StreamResult).data;
      },
      subscribe(query, variables, heard) {
        const subscription = execute('subscription', query, variables).subscribe({
          ...plainSink(heard),
          error: (error: Error) => heard.error(error.message),
        });
        return () => subscription.unsubscribe();
      },
    };
  },
};

function eventStreamRecipe(url: string, token: Token, singleConnection: boolean): RecipeClient {
  const client = createEventStreamClient({ url, token, singleConnection });
  return {
    request: requestByFetch(url, token),
    subscribe: (query, variables, heard) => client.subscribe({ query, variables }, plainSink(heard)),
  };
}

function apolloRecipe(client: ApolloClient): RecipeClient {
  return {
    async request(document, variables) {
      const { data } = isMutation(document)
        ? await client.mutate({ mutation: gql(document), variables })
        : await client.query({ query: gql(document), variables });
      return data;
    },
    subscribe(query, variables, heard) {
      const subscription = client.subscribe({ query: gql(query), variables }).subscribe({
        next({ data, error, extensions }) {
          if (error) heard.error((CombinedGraphQLErrors.is(error) && codeOf(error.errors[0])) || error.message);
          else heard.next({ data, extensions: { ...extensions } });
        },
        complete: () => heard.complete(),
      });
      return () => subscription.unsubscribe();
    },
  };
}

/** Where the client tells results as they are: one without data and cursor is its end. */
function plainSink(heard: Heard) {
  return {
    next(result: unknown) {
      const { data, errors, extensions } = result as StreamResult;
      if (errors && !data && !extensions?.cursor) heard.error(codeOf(errors[0])!);
      else heard.next(result as StreamResult);
    },
    error: (cause: unknown) => heard.error(String(cause)),
    complete: () => heard.complete(),
  };
}

function requestByFetch(url: string, token: Token): RecipeClient['request'] {
  const send = authorizedFetch(token);
  return async (query, variables) => {
    const response = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return ((await response.json()) as StreamResult).data;
  };
}

const nameOf = (document: string): string => /^\w+ (\w+)/.exec(document)![1]!;
const isMutation = (document: string): boolean => document.startsWith('mutation');
const codeOf = (error: { extensions?: Record<string, unknown> } | undefined) =>
  error?.extensions?.['code'] as string | undefined;
