import { setMaxListeners } from 'node:events';
import { abortSignalOf } from '../../platform/cancellation';
import type { Subgraph, SubgraphResult } from '../../platform/subgraph/subgraph';
import type { SubgraphSettings } from './subgraph-settings';
import { SubgraphError, viewerScope, type SubgraphCall, type Transport } from './transport';

/**
 * Calls a subgraph that runs in this process: no serialization, the viewer as it is. Of the settings of a subgraph only
 * the deadline has a meaning here: there is no connection to limit, to break or to repeat, and in-flight calls are not
 * shared, because a result without a text could only be handed to several callers by copying it.
 */
export function inProcessTransport(subgraph: Subgraph, deadlineMs: SubgraphSettings['deadlineMs']): Transport {
  const requestOf = ({ operation, variables }: SubgraphCall) => ({
    query: operation.query,
    operationName: operation.operationName,
    variables: variables(),
  });
  return {
    execute(call) {
      // When the files are in, only the subgraph knows; the deadline of the whole operation still holds.
      const isMutation = call.operation.kind === 'mutation';
      const ms = call.hasUploads ? undefined : isMutation ? deadlineMs.mutation : deadlineMs.query;
      return withDeadline(call, ms, (signal) => subgraph.execute(requestOf(call), { identity: call.identity, signal }));
    },
    subscribe: (call) =>
      subgraph.subscribe(requestOf(call), { identity: call.identity, signal: abortSignalOf(call.signal) }),
    scopeOf: viewerScope,
    ready: () => subgraph.ready(),
    dispose: async () => {},
  };
}

/** Settles like the work, or as soon as the deadline passes or the call is no longer wanted; its signal aborts then. */
function withDeadline(
  { signal }: SubgraphCall,
  ms: number | undefined,
  work: (signal: AbortSignal) => Promise<SubgraphResult>,
): Promise<SubgraphResult> {
  return new Promise((resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is handed on as it is
    if (signal.aborted) return reject(signal.reason);
    const controller = new AbortController();
    setMaxListeners(0, controller.signal); // resolvers may listen, and there may be many
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    };
    const cancel = (reason: unknown): void => {
      end();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is handed on as it is
      reject(reason);
      controller.abort(reason);
    };
    const leave = (): void => cancel(signal.reason);
    const expire = (): void => cancel(new SubgraphError('SUBGRAPH_TIMEOUT', `did not answer within ${ms} ms`));
    const timer = ms === undefined ? undefined : setTimeout(expire, ms);
    signal.addEventListener('abort', leave);
    work(controller.signal).then(
      (result) => {
        end();
        resolve(result);
      },
      (error: unknown) => {
        end();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the subgraph threw
        reject(error);
      },
    );
  });
}
