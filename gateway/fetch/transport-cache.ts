import type { Transport } from './transport';

/**
 * Transports that outlive a supergraph: the next one takes over those that call the same subgraph in the same way, with
 * their connections and the subscriptions on them. Each taker disposes what it took, once; the last one really does.
 */
export class TransportCache {
  private readonly known = new Map<string, { transport: Transport; takers: number }>();

  /** `key` tells everything that makes two transports differ. */
  take(key: string, make: () => Transport): Transport {
    const known = this.known.get(key);
    if (known) {
      known.takers++;
      return known.transport;
    }
    const made = make();
    const entry = { transport: made, takers: 1 };
    const dispose = async (): Promise<void> => {
      if (--entry.takers > 0) return;
      this.known.delete(key);
      await made.dispose();
    };
    entry.transport = { ...made, dispose };
    this.known.set(key, entry);
    return entry.transport;
  }
}
