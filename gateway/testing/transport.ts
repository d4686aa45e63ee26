import { silentLogger } from '../../platform/logger';
import { httpTransport } from '../fetch/http';
import type { HttpTransportOptions } from '../fetch/http-options';
import { DEFAULT_SUBGRAPH_SETTINGS, type SubgraphSettings } from '../fetch/subgraph-settings';
import {
  ownCall,
  subgraphOperation,
  type SubgraphCall,
  type SubgraphOperation,
  type Transport,
} from '../fetch/transport';

/** A transport to one subgraph, with the defaults where a test says nothing else. */
export function aTransport(
  url: string,
  settings: Partial<SubgraphSettings> = {},
  options: Partial<HttpTransportOptions> = {},
): Transport & AsyncDisposable {
  const merged = { ...DEFAULT_SUBGRAPH_SETTINGS, maxAnswerBytes: 1_000_000, ...settings };
  const { protocol } = merged.subscriptions;
  const transport = httpTransport({
    name: 'raw',
    url,
    subscriptionUrl: protocol === 'graphql-transport-ws' ? url.replace(/^http/, 'ws') : url,
    callbacks: undefined,
    signCall: undefined,
    settings: merged,
    logger: silentLogger,
    ...options,
  });
  return { ...transport, [Symbol.asyncDispose]: () => transport.dispose() };
}

/** A call for one field, by an anonymous client. */
export function aCall(options: Partial<SubgraphCall> & { kind?: SubgraphOperation['kind'] } = {}): SubgraphCall {
  const { kind = 'query', ...rest } = options;
  return {
    ...ownCall('{ n }', 'test', new AbortController().signal),
    operation: subgraphOperation(kind === 'query' ? '{ n }' : `${kind} { n }`, undefined, kind),
    ...rest,
  };
}
