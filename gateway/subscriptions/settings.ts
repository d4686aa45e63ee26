/** How subscriptions are kept. Every value has a default; see docs/gateway-configuration.md. */
export interface SubscriptionSettings {
  /** Events of one stream that are kept for subscribers who come late, come back or are slow. */
  replayEvents: number;
  /** Bytes of these events, as JSON; the newest few are kept however large they are. */
  replayBytes: number;
  /** How long a stream without cursors of its own stays open for subscribers whose connection was lost. */
  lingerMs: number;
  /** How many of them may stay open so, in this process. */
  maxLingering: number;
  /** How long a client may take nothing of what waits for it before its connection is closed. */
  stallMs: number;
  /** How long a stream that can be continued is reopened again and again before its subscribers are told. */
  retryForMs: number;
  /** The same for a stream that never was open: its subscribers wait for the first answer. */
  retryFirstForMs: number;
}

export const DEFAULT_SUBSCRIPTION_SETTINGS: SubscriptionSettings = {
  replayEvents: 256,
  replayBytes: 1024 ** 2,
  lingerMs: 30_000,
  maxLingering: 250,
  stallMs: 15_000,
  retryForMs: 60_000,
  retryFirstForMs: 10_000,
};
