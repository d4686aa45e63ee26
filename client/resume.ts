import { createClient, type Client, type ClientOptions, type SubscribePayload } from 'graphql-ws';

/** One result of a subscription. */
export interface StreamResult<Data = unknown> {
  data?: Data | null;
  /** With `data`: what is missing in it. Without: why the subscription ended. */
  errors?: readonly { message: string; path?: readonly (string | number)[]; extensions?: Record<string, unknown> }[];
  extensions?: {
    /** Where this result lies in the stream. */
    cursor?: string;
    /** This tells the present state and no change. */
    snapshot?: boolean;
    /** Results before this one are lost: read the state anew. */
    gap?: { reason: string; missed: number | null };
  };
}

export interface ResumingOptions extends Pick<ClientOptions, 'webSocketImpl' | 'retryAttempts'> {
  /** e.g. `wss://sauti.example/graphql` */
  url: string;
  /** Answers the access token; another one when the last was refused or is about to expire. Throws to give up. */
  token: (mustBeNew: boolean) => string | undefined | Promise<string | undefined>;
  /** How long the socket may be silent before the server is asked whether it is there; half of that it has to answer. Default 10 s. */
  pingMs?: number;
}

/** Errors that pass by themselves, unless the subscription has ended for another reason as well. */
const PASSING = ['SUBGRAPH_UNAVAILABLE', 'SUBGRAPH_TIMEOUT', 'DATABASE_UNAVAILABLE', 'OVERLOADED'];

/**
 * A client of graphql-ws that connects again whenever its socket is lost, also when nobody tells it so, and that renews its
 * token while the socket is open.
 */
export function createResumingClient({ token, pingMs = 10_000, ...options }: ResumingOptions): Client {
  let wasRefused = false;
  let pong: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;
  const renew = async (): Promise<void> => {
    const authorization = `Bearer ${await token(true)}`;
    socket?.send(JSON.stringify({ type: 'ping', payload: { authorization } }));
  };
  const client = createClient({
    retryAttempts: Infinity,
    ...options,
    connectionParams: async () => {
      const mustBeNew = wasRefused;
      wasRefused = false;
      const accessToken = await token(mustBeNew);
      return accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
    },
    keepAlive: pingMs,
    // The next subscription often follows at once.
    lazyCloseTimeout: 100,
    // What `token` throws is an Error; what happens to a socket is an event.
    shouldRetry: (failure) => !(failure instanceof Error) || failure.name === 'TerminatedCloseEvent',
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, waitMs(retries))),
    on: {
      connected: (opened) => (socket = opened as WebSocket),
      closed: (event) => {
        socket = undefined;
        clearTimeout(pong);
        if ((event as { code?: number }).code === 4403) wasRefused = true;
      },
      ping: (isReceived, payload) => {
        // Without a new token the socket is closed with 4403, and the next one asks again.
        if (payload?.['code'] === 'TOKEN_EXPIRING') renew().catch(() => {});
        if (!isReceived) pong = setTimeout(() => client.terminate(), pingMs / 2);
      },
      pong: () => clearTimeout(pong),
    },
  });
  return client;
}

/**
 * The results of a subscription, each once and in order, however often the connection is lost in between. Ends when the
 * server completes it, behind a last result without `data` if it was refused or failed; throws when the client gives up.
 * Failures that pass by themselves are not told; `retryAttempts` of them in a row are. `return()` unsubscribes. Begin anywhere with `extensions: { cursor }`, or with `{ snapshot: true }`.
 */
export function resume<Data>(
  client: Client,
  request: SubscribePayload,
  { retryAttempts = Infinity }: { retryAttempts?: number } = {},
): AsyncGenerator<StreamResult<Data>, void, void> {
  // graphql-ws sends this object again on every new socket: what it says then is where to go on.
  const payload = { ...request, extensions: { ...request.extensions } };
  const results: StreamResult<Data>[] = [];
  let end: { error?: unknown } | undefined;
  let wake = (): void => {};
  let leave = (): void => {};
  const finish = (how: { error?: unknown }): void => {
    end ??= how;
    leave();
    wake();
  };

  function open(retries: number): void {
    let failure: StreamResult<Data> | undefined;
    const settle = (): void => {
      if (end || !failure) return finish({});
      if (!isPassing(failure) || retries >= retryAttempts) return void (results.push(failure), finish({}));
      const timer = setTimeout(() => open(retries + 1), waitMs(retries));
      leave = () => clearTimeout(timer);
    };
    leave = client.subscribe<Data>(payload, {
      next(result) {
        const { data, extensions } = result as StreamResult<Data>;
        // Without data and a place in the stream it is the last one: `complete` follows.
        failure = data == null && extensions?.cursor === undefined ? (result as StreamResult<Data>) : undefined;
        if (failure) return;
        payload.extensions['cursor'] = extensions?.cursor ?? payload.extensions['cursor'];
        retries = 0;
        results.push(result as StreamResult<Data>);
        wake();
      },
      error(error) {
        if (!Array.isArray(error)) return finish({ error: lost(error) });
        failure = { errors: error as StreamResult<Data>['errors'] & object };
        settle();
      },
      complete: settle,
    });
  }

  async function* read(): AsyncGenerator<StreamResult<Data>, void, void> {
    open(0);
    try {
      for (;;) {
        while (results.length > 0) yield results.shift()!;
        if (end && 'error' in end) throw end.error;
        if (end) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      finish({});
    }
  }

  const stream = read();
  const close = stream.return.bind(stream);
  // A generator that waits would notice only with the next result that it should end.
  stream.return = () => (finish({}), close());
  return stream;
}

/** Whether a subscription that ended with this result may be opened again. */
export function isPassing({ errors = [] }: Pick<StreamResult, 'errors'>): boolean {
  return errors.length > 0 && errors.every(({ extensions }) => PASSING.includes(extensions?.['code'] as string));
}

/** Up to half a second at first, up to half a minute later; by chance, so that not all clients come back at once. */
export function waitMs(retries: number): number {
  return Math.random() * Math.min(30_000, 500 * 2 ** retries);
}

function lost(failure: unknown): Error {
  if (failure instanceof Error) return failure;
  const { code, reason, message, error } = failure as {
    code?: number;
    reason?: string;
    message?: string;
    error?: unknown;
  };
  const what = [code, reason, message].filter(Boolean).join(' ');
  return new Error(`The connection was lost: ${what}`, { cause: error ?? failure });
}
