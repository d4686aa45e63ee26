import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Logger } from '../../platform/logger';
import type { CounterStore } from './counter-store';
import { rememberedCounters } from './memory-store';

/** An operation is not held up for longer by a Redis that does not answer, in milliseconds. */
const ANSWER_MS = 500;
/** Between two attempts to reach a Redis that is away, in milliseconds. */
const RECONNECT_MS = 500;

/** Counts that all gateways at one Redis share. While it is away, counting rejects at once; it comes back by itself. */
export function redisCounterStore({ url, logger }: { url: string; logger: Logger }): CounterStore {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_MS,
    connectTimeout: ANSWER_MS,
    retryStrategy: () => RECONNECT_MS,
  });
  let isAway = false;
  client.on('ready', () => (isAway = false));
  client.on('error', (error) => {
    if (!isAway) logger.warn({ error }, 'the counts of the rate limits cannot be reached');
    isAway = true;
  });
  return {
    counter: rememberedCounters(
      (keyPrefix, points, duration) =>
        new RateLimiterRedis({
          storeClient: client,
          rejectIfRedisNotReady: true,
          keyPrefix: `sauti-limit:${keyPrefix}`,
          points,
          duration,
          // Who is over the limit is refused here until the window ends: a flood does not reach Redis.
          inMemoryBlockOnConsumed: points + 1,
        }),
    ),
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };
}
