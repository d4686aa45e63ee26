import { Network, Observable, type FetchFunction, type GraphQLResponse, type SubscribeFunction } from 'relay-runtime';
import { createResumingClient, type ResumingOptions } from '../resume';
import { authorizedFetch } from './fetch';
import { resuming } from './graphql-ws';

/** A network layer of Relay with subscriptions over WebSocket, and everything else over HTTP. `url` begins with `http`. */
export function createNetwork({ url, token, ...options }: ResumingOptions): ReturnType<typeof Network.create> {
  const socket = createResumingClient({ ...options, url: url.replace(/^http/, 'ws'), token });
  const streams = resuming(socket, options);
  const send = authorizedFetch(token);

  const fetchOperation: FetchFunction = async ({ text, name }, variables) => {
    const response = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify({ query: text, operationName: name, variables }),
    });
    return (await response.json()) as GraphQLResponse;
  };
  const subscribe: SubscribeFunction = ({ text, name }, variables) =>
    Observable.create<GraphQLResponse>((sink) =>
      streams.subscribe(
        { query: text!, operationName: name, variables },
        sink as Parameters<typeof streams.subscribe>[1],
      ),
    );
  return Network.create(fetchOperation, subscribe);
}
