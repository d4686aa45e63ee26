import { silentLogger } from '../../platform/logger';
import { createGeneration } from '../generation';
import { DEFAULT_GATEWAY_LIMITS, type GatewayOptions } from '../options';
import { Shop, shopSubgraphs, shopSupergraph } from '../testing/shop';
import type { Transport } from './transport';
import { TransportCache } from './transport-cache';
import { createTransports } from './transports';

/** A cache that knows which transports are open. */
class WatchedCache extends TransportCache {
  made = 0;
  open = 0;

  override take(key: string, make: () => Transport): Transport {
    return super.take(key, () => {
      const transport = make();
      this.made++;
      this.open++;
      return { ...transport, dispose: () => (this.open--, transport.dispose()) };
    });
  }
}

const options = (more: Partial<GatewayOptions> = {}): GatewayOptions => ({
  supergraphSdl: shopSupergraph(),
  subgraphs: shopSubgraphs(new Shop()),
  logger: silentLogger,
  development: false,
  ...more,
});

test('transports that were taken for a supergraph with a subgraph that cannot be called are given back', async () => {
  const cache = new WatchedCache();
  const subgraphs = ['a', 'b', 'c'].map((name) => ({ name, url: name === 'c' ? 'nowhere' : 'http://127.0.0.1:1/' }));
  const given = options({ subgraphs: new Map() });
  const shared = { cache, callbacks: undefined };
  await expect(createTransports({ subgraphs }, given, DEFAULT_GATEWAY_LIMITS, shared)).rejects.toThrow('"c" needs');
  expect([cache.made, cache.open]).toEqual([2, 0]);
});

test('a supergraph that cannot be served in the end keeps no transports, and leaves those of the one before', async () => {
  const cache = new WatchedCache();
  const shared = { cache, callbacks: undefined };
  const before = await createGeneration(shopSupergraph(), options(), DEFAULT_GATEWAY_LIMITS, shared);
  const broken = { ...DEFAULT_GATEWAY_LIMITS, planCacheSize: -1 };
  await expect(createGeneration(shopSupergraph(), options(), broken, shared)).rejects.toThrow();
  expect([cache.made, cache.open]).toEqual([3, 3]);
  await before.end();
  expect(cache.open).toBe(0);
});
