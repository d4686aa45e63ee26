import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { keepAlive } from '../../platform/http/keep-alive';
import { SOCKET_BODY } from '../../platform/identity/call-identity';
import { checkAnswer } from './answer';
import { identityHeaders, type HttpTransportOptions } from './http';
import { SubgraphError, type SubgraphAnswer, type SubgraphCall, type Transport } from './transport';

/** Events held for a consumer that is busy; beyond them the socket is not read, and TCP holds the subgraph back. */
const MAX_QUEUED = 32;
const HANDSHAKE_MS = 10_000;
/** Ping interval; a subgraph whose host vanished without a word is given up after two. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Subscriptions over graphql-transport-ws, one socket for each: the signed identity belongs to one viewer and one
 * request, and a slow consumer holds back nobody else. A socket that closes ends the subscription with an error; it is
 * not opened again behind the client's back, because the events in between would be missing. A subgraph that answers no
 * ping counts as closed, except while its socket is not read because the consumer is slow: its answers wait there, too.
 */
export function webSocketSubscriptions(options: HttpTransportOptions): Transport['subscribe'] {
  return async function* subscribe(call) {
    const stream = openStream(options, call);
    try {
      yield* stream.events();
    } finally {
      stream.close();
    }
  };
}

function openStream(
  options: HttpTransportOptions,
  call: SubgraphCall,
): { events(): AsyncGenerator<SubgraphAnswer>; close(): void } {
  const queue: SubgraphAnswer[] = [];
  let socket: WebSocket | undefined;
  let ended = false;
  let failure: SubgraphError | undefined;
  let wake = (): void => {};

  const end = (error?: SubgraphError): void => {
    if (!ended) failure = error;
    ended = true;
    wake();
  };
  const push = (value: unknown): void => {
    if (ended) return;
    try {
      queue.push(checkAnswer(value));
    } catch (error) {
      end(error as SubgraphError);
    }
    if (queue.length >= MAX_QUEUED) socket?.pause();
    wake();
  };
  const client = createSubgraphClient(options, call, {
    opening: (opened) => (socket = opened),
    closed: (reason) => end(new SubgraphError('SUBGRAPH_UNAVAILABLE', `the subscription's socket closed: ${reason}`)),
  });
  const unsubscribe = client.subscribe(
    {
      query: call.operation.query,
      variables: call.variables(),
      ...(call.operation.operationName ? { operationName: call.operation.operationName } : {}),
    },
    {
      next: push,
      // A list is the subgraph's own refusal; anything else is a socket that failed or closed.
      error(error) {
        if (Array.isArray(error)) push({ errors: error });
        end(
          Array.isArray(error)
            ? undefined
            : new SubgraphError('SUBGRAPH_UNAVAILABLE', `the subscription broke: ${describe(error)}`, { cause: error }),
        );
      },
      complete: () => end(),
    },
  );
  const close = (): void => {
    end();
    call.signal.removeEventListener('abort', close);
    unsubscribe();
    // The client closes its socket itself unless it still waits for the handshake.
    if (socket && socket.readyState !== WebSocket.OPEN) socket.terminate();
    // ws has nothing to resume before the handshake and after the end, and says so with a TypeError.
    else if (socket?.isPaused) socket.resume();
  };
  call.signal.addEventListener('abort', close);
  if (call.signal.aborted) close();

  async function* events(): AsyncGenerator<SubgraphAnswer> {
    for (;;) {
      const next = queue.shift();
      if (next) yield next;
      else if (failure) throw failure;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
      if (queue.length < MAX_QUEUED / 2 && socket?.isPaused) socket.resume();
    }
  }
  return { events, close };
}

function createSubgraphClient(
  options: HttpTransportOptions,
  call: SubgraphCall,
  on: { opening(socket: WebSocket): void; closed(reason: string): void },
): Client {
  const headers = headerObject(identityHeaders(options, call, SOCKET_BODY));
  const { authorization } = headers;
  class SubgraphSocket extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, {
        headers,
        maxPayload: options.settings.maxAnswerBytes,
        perMessageDeflate: false,
        handshakeTimeout: HANDSHAKE_MS,
      });
      this.once('open', () => keepAlive(this, KEEP_ALIVE_MS, { pausedIsAlive: true }));
      on.opening(this);
    }
  }
  return createClient({
    url: options.webSocketUrl,
    webSocketImpl: SubgraphSocket,
    // Where graphql-ws servers look for it; a browser, their usual client, cannot set headers.
    connectionParams: authorization === undefined ? {} : { authorization },
    connectionAckWaitTimeout: HANDSHAKE_MS,
    retryAttempts: 0,
    on: { closed: (event) => on.closed(describe(event)) },
  });
}

function headerObject(pairs: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < pairs.length; index += 2) headers[pairs[index]!] = pairs[index + 1]!;
  return headers;
}

function describe(error: unknown): string {
  const { code, reason, message } = (error ?? {}) as { code?: unknown; reason?: unknown; message?: unknown };
  return (
    [code, reason, message]
      .filter((part) => typeof part === 'number' || (typeof part === 'string' && part))
      .join(' ') || 'no reason given'
  );
}
