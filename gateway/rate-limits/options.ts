import type { CounterStore } from './counter-store';

/** How often operations may be executed; docs/gateway-configuration.md explains it. */
export interface RateLimitOptions {
  /** Where counts are kept; whoever made it closes it. */
  store: CounterStore;
  /** How many times what the schema says (`@rateLimit`) is allowed. Default 1. */
  factor?: number;
  /** Root fields of one account, or of one source without an account, in one window; null: not counted. Default 6 000 in 60 s. */
  general?: { limit: number; windowS: number } | null;
}

export const DEFAULT_GENERAL_BUDGET = { limit: 6_000, windowS: 60 };
