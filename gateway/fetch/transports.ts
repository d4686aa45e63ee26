import type { GatewayLimits, GatewayOptions } from '../options';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { withClientFacts } from './client-facts';
import { headerRuleFaults } from './header-rules';
import { httpTransport } from './http';
import { inProcessTransport } from './in-process';
import type { SubscriptionProtocol } from './upstream-settings';
import type { Callbacks } from './subscriptions/callbacks';
import { DEFAULT_SUBGRAPH_SETTINGS, type SubgraphSettings } from './subgraph-settings';
import type { Transport } from './transport';
import type { TransportCache } from './transport-cache';

/** What outlives a supergraph. */
export interface SharedTransports {
  cache: TransportCache;
  /** Takes the events that subgraphs send; undefined: none may. */
  callbacks: Callbacks | undefined;
}

/**
 * One transport for each subgraph of the supergraph, from the cache where it has one: in process where the host handed
 * the subgraph in, by HTTP elsewhere. Rejects when a subgraph has neither an object nor an address, or settings that
 * cannot be followed; then none is kept.
 */
export async function createTransports(
  supergraph: Pick<LoadedSupergraph, 'subgraphs'>,
  options: GatewayOptions,
  limits: Pick<GatewayLimits, 'maxAnswerBytes'>,
  shared: SharedTransports,
): Promise<ReadonlyMap<string, Transport>> {
  const taken = new Map<string, Transport>();
  try {
    for (const subgraph of supergraph.subgraphs)
      taken.set(subgraph.name, takeTransport(subgraph, options, limits, shared));
    return taken;
  } catch (error) {
    await disposeTransports(taken);
    throw error;
  }
}

/** Gives back what was taken for one supergraph. */
export async function disposeTransports(transports: ReadonlyMap<string, Transport>): Promise<void> {
  await Promise.all([...transports.values()].map((transport) => transport.dispose()));
}

function takeTransport(
  { name, url }: LoadedSupergraph['subgraphs'][number],
  options: GatewayOptions,
  limits: Pick<GatewayLimits, 'maxAnswerBytes'>,
  { cache, callbacks }: SharedTransports,
): Transport {
  const remote = options.remoteSubgraph?.(name) ?? {};
  const settings = subgraphSettings(name, options, limits);
  // What subscriptions stay with when the supergraph changes is the whole transport, this part of it included.
  const facts = { isTold: options.clientFactsFor?.includes(name) ?? false };
  const local = options.subgraphs?.get(name);
  if (local && remote.transport !== 'http')
    return cache.take(keyOf(name, settings), () =>
      withClientFacts(inProcessTransport(local, settings.deadlineMs), facts),
    );
  if (remote.transport === 'in-process') throw new Error(`The subgraph "${name}" does not run in this process.`);
  const address = addressOf(name, remote.url ?? url);
  const { protocol } = settings.subscriptions;
  const subscriptionUrl = remote.subscriptionUrl ?? subscriptionUrlOf(address, protocol);
  const { signCall, logger } = options;
  const make = (): Transport =>
    withClientFacts(
      httpTransport({ name, url: address, subscriptionUrl, callbacks, signCall, settings, logger }),
      facts,
    );
  return cache.take(keyOf(name, settings, address, subscriptionUrl), make);
}

function keyOf(...parts: (string | SubgraphSettings)[]): string {
  return JSON.stringify(parts);
}

/** How a subgraph is called: what was given for it, and the defaults. Throws when its header rules cannot be followed. */
export function subgraphSettings(
  name: string,
  options: Pick<GatewayOptions, 'remoteSubgraph' | 'signCall' | 'forwardAuthorization'>,
  { maxAnswerBytes }: Pick<GatewayLimits, 'maxAnswerBytes'>,
): SubgraphSettings {
  const merged = { ...DEFAULT_SUBGRAPH_SETTINGS, maxAnswerBytes, ...options.remoteSubgraph?.(name)?.settings };
  const { forward, set } = merged.headers;
  const faults = headerRuleFaults(merged.headers);
  const hasRule = forward.includes('authorization') || Object.hasOwn(set, 'authorization');
  if (options.signCall && hasRule) faults.push('headers: "authorization" carries the signature of the gateway');
  if (faults.length > 0) throw new Error(`The subgraph "${name}" has faulty settings: ${faults.join('; ')}.`);
  if (!options.forwardAuthorization || options.signCall || hasRule) return merged;
  return { ...merged, headers: { forward: [...forward, 'authorization'], set } };
}

function subscriptionUrlOf(address: string, protocol: SubscriptionProtocol): string {
  return protocol === 'graphql-transport-ws' ? address.replace(/^http/, 'ws') : address;
}

function addressOf(name: string, address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error(`The subgraph "${name}" needs an http(s) URL; the supergraph says "${address}".`);
  if (url.username || url.password)
    throw new Error(
      `The URL of the subgraph "${name}" has credentials in it; send them with the setting headers.set: authorization.`,
    );
  return address;
}
