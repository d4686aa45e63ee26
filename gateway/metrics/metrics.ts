import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Page } from '../http/handler';
import type { SubscriptionCounts } from '../subscriptions/counts';
import type { Subscriptions } from '../subscriptions/subscriptions';

/** What the metrics are read from whenever somebody asks. */
export interface MetricSources {
  subscriptions: Pick<Subscriptions, 'counts' | 'eventsWaiting'>;
  connections: { readonly size: number };
  access: { readonly isCurrent: boolean };
}

type Name = keyof SubscriptionCounts;

/** Values that go up and down. */
const GAUGES: readonly [name: Name, metric: string, help: string][] = [
  ['subscriptions', 'subscriptions_open', 'Subscriptions that clients have open'],
  ['upstreams', 'subscription_upstreams_open', 'Streams that are open at subgraphs'],
  ['waiting', 'subscriptions_waiting', 'Subscriptions that are behind because their client does not read fast enough'],
];
/** Values that only grow. */
const COUNTERS: readonly [name: Name, metric: string, help: string][] = [
  ['events', 'subscription_events_total', 'Events that came from subgraphs'],
  ['delivered', 'subscription_deliveries_total', 'Events that went to clients'],
  ['coalesced', 'subscription_coalesced_total', 'Events a slow client did not get because a newer one replaced them'],
  ['resumed', 'subscription_resumes_total', 'Subscriptions that began behind a cursor'],
  ['gaps', 'subscription_gaps_total', 'Notices of events that were lost'],
  ['reopened', 'subscription_upstream_retries_total', 'Streams that were opened again after they broke'],
  ['tooSlow', 'subscription_too_slow_total', 'Connections closed because their client was too slow'],
  ['refused', 'subscriptions_refused_total', 'Subscriptions refused because there were too many'],
  ['moved', 'subscriptions_moved_total', 'Subscriptions that went on with another supergraph'],
  ['endedByReload', 'subscriptions_ended_by_reload_total', 'Subscriptions that were not valid with another supergraph'],
];

const PREFIX = 'sauti_gateway_';

/**
 * A page in the text format of Prometheus, with those of the process itself (https://github.com/siimon/prom-client).
 * Nothing is measured before it is first asked for.
 */
export function metricsPage(sources: MetricSources): Page {
  let registry: Registry | undefined;
  return async (_request, response) => {
    registry ??= registryOf(sources);
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' });
    response.end(text);
  };
}

function registryOf({ subscriptions: all, connections, access }: MetricSources): Registry {
  const subscriptions = all.counts;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (metric: string, help: string, read: () => number): void =>
    void new Gauge({
      name: PREFIX + metric,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  for (const [name, metric, help] of GAUGES) gauge(metric, help, () => subscriptions[name]);
  gauge(
    'connections_open',
    'Connections that carry streams: WebSockets, event streams, multipart answers',
    () => connections.size,
  );
  gauge('access_changes_heard', 'Whether the gateway hears of sessions that end: 1 or 0', () =>
    Number(access.isCurrent),
  );
  gauge('subscription_sharing_ratio', 'Open subscriptions for each stream at a subgraph', () =>
    subscriptions.upstreams === 0 ? 0 : subscriptions.subscriptions / subscriptions.upstreams,
  );
  gauge(
    'subscription_events_waiting',
    'Events that wait for clients who do not read fast enough',
    () => all.eventsWaiting,
  );
  for (const [name, metric, help] of COUNTERS) {
    new Counter({
      name: PREFIX + metric,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(subscriptions[name]);
      },
    });
  }
  return registry;
}
