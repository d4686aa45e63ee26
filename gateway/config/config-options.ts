import { DEFAULT_SUBGRAPH_SETTINGS, type SubgraphSettings } from '../fetch/subgraph-settings';
import { DEFAULT_UPSTREAM_SETTINGS } from '../fetch/upstream-settings';
import type { GatewayLimits, GatewayOptions, RemoteSubgraph } from '../options';
import type { GatewayConfig, SubgraphConfig } from './schema';

type CallConfig = NonNullable<GatewayConfig['all']>;

/** What a configuration file says, as options of `createGateway`. */
export function configOptions(config: GatewayConfig): Pick<
  GatewayOptions,
  | 'remoteSubgraph'
  | 'corsOrigins'
  | 'introspection'
  | 'authorization'
  | 'overrideLabels'
  | 'planning'
  | 'callback'
  | 'metrics'
  | 'subscriptions'
> & {
  limits: Partial<GatewayLimits>;
} {
  const {
    corsOrigins,
    introspection,
    authorization,
    overrideLabels,
    planning,
    deadlineMs,
    limits,
    callback,
    metrics,
    subscriptions,
  } = config;
  const { cacheSize, ...planningOptions } = planning ?? {};
  return defined({
    remoteSubgraph: (name: string) => remoteSubgraph(config, name),
    corsOrigins,
    introspection,
    authorization: authorization && defined(authorization),
    overrideLabels,
    planning: planning && defined(planningOptions),
    callback: callback && defined(callback),
    metrics,
    subscriptions: subscriptions && defined(subscriptions),
    limits: defined({ ...limits, deadlineMs, planCacheSize: cacheSize }),
  });
}

function remoteSubgraph({ all = {}, subgraphs = {} }: GatewayConfig, name: string): RemoteSubgraph {
  const own: SubgraphConfig = Object.hasOwn(subgraphs, name) ? subgraphs[name]! : {};
  return defined({
    url: own.url,
    transport: own.transport,
    subscriptionUrl: own.subscriptions?.url,
    settings: { ...subgraphSettings(all, own), subscriptions: subscriptionSettings(own.subscriptions) },
  });
}

/** The subgraph's own entries before those for all, before the defaults; sections are merged entry by entry. */
function subgraphSettings(all: CallConfig, own: CallConfig): Partial<SubgraphSettings> {
  const { deadlineMs, headers } = DEFAULT_SUBGRAPH_SETTINGS;
  return defined({
    maxAnswerBytes: own.maxAnswerBytes ?? all.maxAnswerBytes,
    compression: own.compression ?? all.compression,
    retries: own.retries ?? all.retries,
    connections: own.connections ?? all.connections,
    shareInFlight: own.shareInFlight ?? all.shareInFlight,
    deadlineMs: { ...deadlineMs, ...defined(all.deadlineMs ?? {}), ...defined(own.deadlineMs ?? {}) },
    headers: own.headers ?? all.headers ?? headers,
    breaker: breakerSettings(all.breaker, own.breaker),
  });
}

function subscriptionSettings(own: SubgraphConfig['subscriptions'] = {}): SubgraphSettings['subscriptions'] {
  const { protocol, connectionParams, ackMs, keepAliveMs } = own;
  return { ...DEFAULT_UPSTREAM_SETTINGS, ...defined({ protocol, connectionParams, ackMs, keepAliveMs }) };
}

function breakerSettings(all: CallConfig['breaker'], own: CallConfig['breaker']): SubgraphSettings['breaker'] {
  if (own === false || (own === undefined && all === false)) return null;
  const { failurePercent, ...times } = defined({ ...(all || {}), ...(own || {}) });
  const failureRatio = failurePercent === undefined ? {} : { failureRatio: failurePercent / 100 };
  return { ...DEFAULT_SUBGRAPH_SETTINGS.breaker!, ...times, ...failureRatio };
}

type Defined<Values> = {
  [Key in keyof Values as undefined extends Values[Key] ? never : Key]: Values[Key];
} & { [Key in keyof Values as undefined extends Values[Key] ? Key : never]?: Exclude<Values[Key], undefined> };

/** The entries that have a value. */
function defined<Values extends object>(values: Values): Defined<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<Values>;
}
