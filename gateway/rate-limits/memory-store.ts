import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Counter, CounterStore } from './counter-store';

/** Counts in this process. An address that is counted takes about 300 bytes until its window ends. */
export function memoryCounterStore(): CounterStore {
  return {
    counter: rememberedCounters(
      (name, points, duration) => new RateLimiterMemory({ keyPrefix: name, points, duration }),
    ),
    async [Symbol.asyncDispose]() {},
  };
}

/** Counters by name, limit and window, each made once: another supergraph with the same limits goes on counting. */
export function rememberedCounters(
  make: (name: string, limit: number, windowS: number) => RateLimiterAbstract,
): CounterStore['counter'] {
  const counters = new Map<string, Counter>();
  return (name, limit, windowS) => {
    const id = `${name}:${limit}:${windowS}`;
    const counter = counters.get(id) ?? counterOf(make(id, limit, windowS));
    counters.set(id, counter);
    return counter;
  };
}

function counterOf(limiter: RateLimiterAbstract): Counter {
  return {
    async add(key, points) {
      try {
        await limiter.consume(key, points);
        return { isOver: false, retryAfterMs: 0 };
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return { isOver: true, retryAfterMs: refusal.msBeforeNext };
        throw refusal;
      }
    },
  };
}
