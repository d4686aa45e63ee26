import type { Transport } from '../transport';

/** Where the subscriptions of one subgraph come from. One attempt each: what broke is opened again by whoever can continue it. */
export interface SubscriptionSource {
  subscribe: Transport['subscribe'];
  /** Ends what is open, with an error. */
  dispose(): Promise<void>;
}
