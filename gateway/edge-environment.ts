import type { EnvironmentReader } from '../platform/environment';
import type { Lifecycle } from '../platform/lifecycle';
import type { Logger } from '../platform/logger';
import type { GatewayConfig } from './config/schema';
import { clientSource } from './http/source';
import type { GatewayOptions } from './options';
import { memoryCounterStore } from './rate-limits/memory-store';
import { DEFAULT_GENERAL_BUDGET } from './rate-limits/options';
import { redisCounterStore } from './rate-limits/redis-store';

/** What the gateway of a process knows of the network in front of it, and what it lets through. */
export interface EdgeEnvironment {
  trustedProxies: string[];
  cookieSessions: boolean;
  /** Null: nothing is counted. */
  rateLimits: { factor: number; general: { limit: number; windowS: number }; redisUrl: string | null } | null;
}

/** Outside production everybody is at the same address, and tests sign in all day. */
const DEVELOPMENT_FACTOR = 50;
const MAX_FACTOR = 10_000;

/**
 * Reads TRUSTED_PROXIES, COOKIE_SESSIONS, RATE_LIMITS, RATE_LIMIT_FIELDS and REDIS_URL, which come before the file. Without
 * identity there are no sessions, and nothing is counted unless that is asked for.
 */
export function readEdgeEnvironment(
  reader: EnvironmentReader,
  config: GatewayConfig,
  { production, hasIdentity }: { production: boolean; hasIdentity: boolean },
): EdgeEnvironment {
  const trustedProxies = reader.list('TRUSTED_PROXIES');
  const cookieSessions = reader.oneOf('COOKIE_SESSIONS', ['on', 'off'], config.cookieSessions === false ? 'off' : 'on');
  return {
    trustedProxies: checkedProxies(reader, trustedProxies.length > 0 ? trustedProxies : (config.trustedProxies ?? [])),
    cookieSessions: hasIdentity && cookieSessions === 'on',
    rateLimits: readRateLimits(reader, config, { production, hasIdentity }),
  };
}

/** The same as options of `createGateway`; the counts are closed when the process stops. */
export function edgeOptions(
  { trustedProxies, cookieSessions, rateLimits }: EdgeEnvironment,
  { lifecycle, logger }: { lifecycle: Lifecycle; logger: Logger },
): Pick<GatewayOptions, 'trustedProxies' | 'cookieSessions' | 'rateLimits' | 'clientFactsFor'> {
  const shared = { trustedProxies, cookieSessions, clientFactsFor: ['users'] };
  if (!rateLimits) return shared;
  const { factor, general, redisUrl } = rateLimits;
  const store = redisUrl === null ? memoryCounterStore() : redisCounterStore({ url: redisUrl, logger });
  lifecycle.onStop('rate limits', async () => store[Symbol.asyncDispose]());
  return { ...shared, rateLimits: { store, factor, general } };
}

function readRateLimits(
  reader: EnvironmentReader,
  { rateLimits: configured }: GatewayConfig,
  { production, hasIdentity }: { production: boolean; hasIdentity: boolean },
): EdgeEnvironment['rateLimits'] {
  const given = configured || {};
  const usual = given.factor ?? (production ? 1 : DEVELOPMENT_FACTOR);
  const isOff = reader.text('RATE_LIMITS') === 'off';
  const factor = isOff ? usual : reader.wholeNumber('RATE_LIMITS', usual, { min: 1, max: MAX_FACTOR });
  const { limit, windowS } = { ...DEFAULT_GENERAL_BUDGET, ...given.general };
  const general = { limit: reader.wholeNumber('RATE_LIMIT_FIELDS', limit, { min: 1, max: 10 ** 9 }), windowS };
  const redisUrl = reader.url('REDIS_URL', ['redis:', 'rediss:']);
  const isWanted = configured !== undefined || hasIdentity || reader.text('RATE_LIMITS') !== null;
  return isOff || !isWanted || (configured === false && reader.text('RATE_LIMITS') === null)
    ? null
    : { factor, general, redisUrl };
}

function checkedProxies(reader: EnvironmentReader, proxies: string[]): string[] {
  try {
    clientSource(proxies);
    return proxies;
  } catch {
    reader.fault(
      'TRUSTED_PROXIES must list addresses, networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, with commas between them.',
    );
    return [];
  }
}
