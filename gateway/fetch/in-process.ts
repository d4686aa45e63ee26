import type { Subgraph } from '../../platform/subgraph/subgraph';
import type { SubgraphCall, Transport } from './transport';

/** Calls a subgraph that runs in this process: no serialization, the viewer as it is. */
export function inProcessTransport(subgraph: Subgraph): Transport {
  const requestOf = ({ operation, variables }: SubgraphCall) => ({
    query: operation.query,
    operationName: operation.operationName,
    variables: variables(),
  });
  return {
    execute: (call) => subgraph.execute(requestOf(call), call),
    subscribe: (call) => subgraph.subscribe(requestOf(call), call),
    ready: () => subgraph.ready(),
    dispose: async () => {},
  };
}
