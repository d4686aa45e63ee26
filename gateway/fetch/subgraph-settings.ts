import type { BreakerSettings } from './breaker';
import type { HeaderRules } from './header-rules';
import { DEFAULT_UPSTREAM_SETTINGS, type UpstreamSettings } from './upstream-settings';

/** How the gateway treats one subgraph. Every value has a default; see docs/gateway-configuration.md. */
export interface SubgraphSettings {
  headers: HeaderRules;
  /**
   * Time for one call, from when it is handed over until its answer has been read; waiting for a connection and
   * retries count. A call with files counts from when they have been sent. Default 5 s and 10 s.
   */
  deadlineMs: { query: number; mutation: number };
  /** Bytes of one answer after decoding, over HTTP or WebSocket. */
  maxAnswerBytes: number;
  /** Whether answers may be compressed. Default false: see docs/gateway-configuration.md for what it costs. */
  compression: boolean;
  /** How often a query is sent again when the connection failed before any answer came. Default 1. */
  retries: number;
  /** Null: calls are never held off. */
  breaker: BreakerSettings | null;
  /** Connections that may be open at once; calls beyond them wait. Default 64. */
  connections: number;
  /** Whether equal queries of the same identity that are under way at once are one call. Default false. */
  shareInFlight: boolean;
  subscriptions: UpstreamSettings;
}

/** The defaults; the largest answer is a limit of the whole gateway. */
export const DEFAULT_SUBGRAPH_SETTINGS: Omit<SubgraphSettings, 'maxAnswerBytes'> = {
  headers: { forward: [], set: {} },
  deadlineMs: { query: 5_000, mutation: 10_000 },
  compression: false,
  retries: 1,
  breaker: { windowMs: 10_000, minRequests: 20, failureRatio: 0.5, openMs: 5_000 },
  connections: 64,
  shareInFlight: false,
  subscriptions: DEFAULT_UPSTREAM_SETTINGS,
};
