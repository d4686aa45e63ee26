import type { Logger } from '../../platform/logger';
import type { IdentityOptions } from './caller-identity';
import type { SubgraphSettings } from './subgraph-settings';
import type { Callbacks } from './subscriptions/callbacks';

/** What reaching a subgraph of another process takes. */
export interface HttpTransportOptions extends IdentityOptions {
  /** `http:` or `https:`, without credentials. */
  url: string;
  /** Of the scheme that the protocol for subscriptions asks for. */
  subscriptionUrl: string;
  /** Where subgraphs send events to; without it there can be no subscriptions by callback. */
  callbacks: Callbacks | undefined;
  settings: SubgraphSettings;
  logger: Logger;
  /** A clock in milliseconds that never goes back; for the breaker. */
  now?: () => number;
}
