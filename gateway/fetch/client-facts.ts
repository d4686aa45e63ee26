import { sessionChangeIn } from '../../platform/identity/session-change';
import type { SubgraphCall, Transport } from './transport';

/**
 * The transport of a subgraph that is told where mutations came from (`isTold`), or is not. Queries and subscriptions
 * carry no such facts: nothing depends on them there, and calls of one viewer from several devices can be shared. What a
 * told subgraph says about the client's session goes to the caller and no further.
 */
export function withClientFacts(transport: Transport, { isTold }: { isTold: boolean }): Transport {
  return {
    async execute(call) {
      if (!isTold || call.operation.kind !== 'mutation') return transport.execute(withoutFacts(call));
      const answer = await transport.execute(call);
      const change = call.onSession && sessionChangeIn(answer.extensions);
      if (change) call.onSession!(change);
      return answer;
    },
    subscribe: (call) => transport.subscribe(withoutFacts(call)),
    scopeOf: (caller) => transport.scopeOf(caller),
    ready: (signal) => transport.ready(signal),
    dispose: () => transport.dispose(),
  };
}

function withoutFacts(call: SubgraphCall): SubgraphCall {
  if (!call.identity.client) return call;
  const { viewer, requestId } = call.identity;
  return { ...call, identity: { viewer, requestId } };
}
