import type { GatewayLimits, GatewayOptions } from '../options';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { httpTransport } from './http';
import { inProcessTransport } from './in-process';
import type { Transport } from './transport';

/**
 * One transport for each subgraph of the supergraph: in process where the host handed the subgraph in, by HTTP
 * elsewhere. Throws when a subgraph has neither an object nor an address.
 */
export function createTransports(
  supergraph: LoadedSupergraph,
  options: GatewayOptions,
  limits: GatewayLimits,
): ReadonlyMap<string, Transport> {
  return new Map(
    supergraph.subgraphs.map(({ name, url }) => {
      const local = options.subgraphs?.get(name);
      if (local) return [name, inProcessTransport(local)];
      const remote = options.remoteSubgraph?.(name);
      const address = remote?.url ?? url;
      if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
        throw new Error(`The subgraph "${name}" needs an http(s) URL; the supergraph says "${address}".`);
      }
      return [
        name,
        httpTransport({
          name,
          url: address,
          webSocketUrl: remote?.webSocketUrl ?? address.replace(/^http/, 'ws'),
          signCall: options.signCall,
          forwardAuthorization: options.forwardAuthorization ?? false,
          maxAnswerBytes: limits.maxAnswerBytes,
        }),
      ];
    }),
  );
}
