import { SOCKET_BODY } from '../../../platform/identity/call-identity';
import { returnable } from '../../../platform/returnable';
import { identityHeaders, scopeOf } from '../caller-identity';
import type { HttpTransportOptions } from '../http-options';
import { SubgraphError, type CallerScope, type SubgraphAnswer, type SubgraphCall } from '../transport';
import { PooledSocket } from './pooled-socket';
import type { SubscriptionSource } from './subscription-source';

/** A socket nobody subscribes on is kept this long: pages that change subscribe again at once. */
const LINGER_MS = 1_000;
/** As long as a query may take by default: a consumer that waits for one between two events is no slow one. */
const HOLD_MS = 5_000;

/**
 * Subscriptions over graphql-transport-ws: those of one caller scope share a socket, because what a subgraph knows of the
 * caller it learns once per socket. A socket that broke, or that a slow consumer holds back, takes no further ones: the
 * next subscription opens another.
 */
export function socketPool(options: HttpTransportOptions): SubscriptionSource {
  const sockets = new Map<string, Set<PooledSocket>>();
  const open = (scope: string, caller: CallerScope): PooledSocket => {
    const ofScope = sockets.get(scope) ?? new Set();
    const socket = new PooledSocket(socketOptions(options, caller), () => {
      ofScope.delete(socket);
      if (ofScope.size === 0) sockets.delete(scope);
    });
    sockets.set(scope, ofScope.add(socket));
    return socket;
  };
  async function* stream(call: SubgraphCall, signal: AbortSignal): AsyncGenerator<SubgraphAnswer, void, void> {
    if (signal.aborted) return;
    const scope = scopeOf(options, call);
    const free = [...(sockets.get(scope) ?? [])].find((socket) => !socket.isHeld);
    yield* (free ?? opened(() => open(scope, call))).subscribe(call, signal);
  }
  return {
    subscribe: (call) => returnable(call.signal, (signal) => stream(call, signal)),
    dispose: async () => [...sockets.values()].flatMap((ofScope) => [...ofScope]).forEach((socket) => socket.close()),
  };
}

/** What cannot even be sent, such as a header of the client's, fails as a subscription does. */
function opened(open: () => PooledSocket): PooledSocket {
  try {
    return open();
  } catch (cause) {
    throw new SubgraphError('SUBGRAPH_UNAVAILABLE', `no socket can be opened: ${(cause as Error).message}`, { cause });
  }
}

function socketOptions(options: HttpTransportOptions, caller: CallerScope) {
  const { ackMs, keepAliveMs } = options.settings.subscriptions;
  const headers = headerObject(identityHeaders(options, caller, SOCKET_BODY));
  return {
    url: options.subscriptionUrl,
    headers,
    connectionParams: connectionParams(options, caller, headers['authorization']),
    maxMessageBytes: options.settings.maxAnswerBytes,
    ackMs,
    keepAliveMs,
    holdMs: HOLD_MS,
    lingerMs: LINGER_MS,
  };
}

/**
 * graphql-ws servers look for a caller here, because a browser, their usual client, cannot set headers. A signature takes
 * the place of whatever the client called its authorization, in any spelling: that is for the gateway alone.
 */
function connectionParams(
  { settings, signCall }: HttpTransportOptions,
  caller: CallerScope,
  authorization: string | undefined,
): Record<string, unknown> | undefined {
  const { connectionParams: kind } = settings.subscriptions;
  const own = authorization === undefined ? {} : { authorization };
  if (kind === 'client') {
    if (!signCall) return caller.connectionParams;
    const others = Object.entries(caller.connectionParams ?? {}).filter(([name]) => !/^authorization$/i.test(name));
    return { ...Object.fromEntries(others), ...own };
  }
  return kind === 'authorization' || signCall ? own : undefined;
}

function headerObject(pairs: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < pairs.length; index += 2) headers[pairs[index]!] = pairs[index + 1]!;
  return headers;
}
