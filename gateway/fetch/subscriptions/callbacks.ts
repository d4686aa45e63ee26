import type { CallbackOptions } from '../../options';
import { CallbackSubscription } from './callback-subscription';

/** Where subgraphs send the events of subscriptions: below this path, one for each. */
export const CALLBACK_PATH = '/callback/';

/** Apollo's own default. */
const HEARTBEAT_MS = 5_000;

/** The subscriptions whose events subgraphs send to this process, whichever subgraph or supergraph they belong to. */
export class Callbacks {
  private readonly open = new Map<string, CallbackSubscription>();
  private readonly baseUrl: string;
  private readonly heartbeatMs: number;

  /** Throws when the public URL is none. */
  constructor({ publicUrl, heartbeatMs = HEARTBEAT_MS }: CallbackOptions) {
    const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
    if (!url || !/^https?:$/.test(url.protocol))
      throw new Error(`callback.publicUrl must be a URL with http: or https:, not "${publicUrl}".`);
    this.baseUrl = url.origin + url.pathname.replace(/\/+$/, '') + CALLBACK_PATH;
    this.heartbeatMs = heartbeatMs;
  }

  /** Makes a place for the events of a subscription; it has to be closed. */
  add(maxEventBytes: number): CallbackSubscription {
    const subscription = new CallbackSubscription({
      baseUrl: this.baseUrl,
      heartbeatMs: this.heartbeatMs,
      maxEventBytes,
    });
    this.open.set(subscription.id, subscription);
    return subscription;
  }

  find(id: string): CallbackSubscription | undefined {
    return this.open.get(id);
  }

  /** Its subgraph hears from now on that there is no such subscription, and ends it. */
  remove(subscription: CallbackSubscription): void {
    this.open.delete(subscription.id);
    subscription.end();
  }
}
