import { createClient, NetworkError, type RequestParams } from 'graphql-sse';
import { isPassing, waitMs, type StreamResult } from '../resume';
import { streamingFetch, type Token } from './fetch';

export interface EventStreamOptions {
  /** e.g. `https://sauti.example/graphql` */
  url: string;
  token: Token;
  /** One connection for all subscriptions: for browsers that speak HTTP/1.1 only. Default: one for each. */
  singleConnection?: boolean;
  /** How often in a row a subscription is opened again. Default: for ever. */
  retryAttempts?: number;
}
export interface EventStreamSink<Data> {
  next(result: StreamResult<Data>): void;
  error(error: unknown): void;
  /** The server has completed it, behind a last result without `data` if it was refused or failed. */
  complete(): void;
}
export interface EventStreamClient {
  /** Answers how to leave; after that the sink hears nothing more. */
  subscribe<Data>(request: RequestParams, sink: EventStreamSink<Data>): () => void;
  dispose(): void;
}

/** A client of graphql-sse whose subscriptions go on where they were when the connection is lost. */
export function createEventStreamClient(options: EventStreamOptions): EventStreamClient {
  const { url, token, singleConnection = false, retryAttempts = Infinity } = options;
  let wasRefused = false;
  const client = createClient<boolean>({
    url,
    singleConnection,
    fetchFn: streamingFetch(),
    // It would send the same operation again, without the cursor.
    retryAttempts: 0,
    headers: async (): Promise<Record<string, string>> => {
      const mustBeNew = wasRefused;
      wasRefused = false;
      const accessToken = await token(mustBeNew);
      return accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
    },
  });

  function subscribe<Data>(request: RequestParams, sink: EventStreamSink<Data>): () => void {
    const extensions = { ...request.extensions };
    let hasLeft = false;
    let isRenewed = false;
    let leave = (): void => {};

    function open(retries: number): void {
      let last: StreamResult<Data> | undefined;
      const settle = async (error?: unknown): Promise<void> => {
        if (hasLeft) return;
        last ??= await refusalIn(error);
        const isUnauthenticated = last?.errors?.some(({ extensions }) => extensions?.['code'] === 'UNAUTHENTICATED');
        const isRefused = isUnauthenticated || responseOf(error)?.status === 401;
        const mayRenew = isRefused && !isRenewed;
        if ((mayRenew || isLost(error) || (last && isPassing(last))) && retries < retryAttempts) {
          if (mayRenew) wasRefused = isRenewed = true;
          const timer = setTimeout(() => open(retries + 1), waitMs(retries));
          leave = () => clearTimeout(timer);
        } else if (error && !last) sink.error(error);
        else {
          if (last) sink.next(last);
          sink.complete();
        }
      };
      leave = client.subscribe<Data, StreamResult['extensions']>(
        { ...request, extensions },
        {
          next(result) {
            const { data, extensions: told } = result;
            // Without data and a place in the stream it is the last one.
            last = data == null && told?.cursor === undefined ? result : undefined;
            if (last || hasLeft) return;
            extensions['cursor'] = told?.cursor ?? extensions['cursor'];
            retries = 0;
            isRenewed = false;
            sink.next(result);
          },
          error: (error) => void settle(error),
          complete: () => void settle(),
        },
      );
    }

    open(0);
    return () => {
      hasLeft = true;
      leave();
    };
  }
  return { subscribe, dispose: () => client.dispose() };
}

/** The network failed (of which `fetch` makes a TypeError), or the server is going down. */
function isLost(error: unknown): boolean {
  if (error instanceof NetworkError) return (responseOf(error)?.status ?? 503) >= 500;
  return (error as Error | undefined)?.name === 'TypeError';
}

/** What the server says when it answers with errors and not with a stream. */
async function refusalIn(error: unknown): Promise<StreamResult<never> | undefined> {
  const body = (await responseOf(error)
    ?.json()
    .catch(() => undefined)) as StreamResult<never> | undefined;
  return body?.errors ? body : undefined;
}

function responseOf(error: unknown): Response | undefined {
  return error instanceof NetworkError ? (error as NetworkError<Response>).response : undefined;
}
