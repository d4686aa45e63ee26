import { orAborted } from '../../platform/or-aborted';

/** Calls under way that may have several callers. A caller that leaves ends the call only when it was the last one. */
export class InFlightCalls<Value> {
  private readonly calls = new Map<string, { result: Promise<Value>; callers: number; cancel: AbortController }>();

  /**
   * Waits for the call under this key, and starts it when there is none; `start` gets the signal that ends it. The
   * caller's own signal ends its waiting.
   */
  async join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    signal.throwIfAborted();
    const call = this.calls.get(key) ?? this.open(key, start);
    call.callers++;
    try {
      return await orAborted(call.result, signal);
    } finally {
      call.callers--;
      if (call.callers === 0) {
        if (this.calls.get(key) === call) this.calls.delete(key); // nobody joins what is cancelled
        call.cancel.abort();
      }
    }
  }

  private open(
    key: string,
    start: (signal: AbortSignal) => Promise<Value>,
  ): { result: Promise<Value>; callers: number; cancel: AbortController } {
    const cancel = new AbortController();
    const call = { result: start(cancel.signal), callers: 0, cancel };
    this.calls.set(key, call);
    const forget = (): void => {
      if (this.calls.get(key) === call) this.calls.delete(key);
    };
    call.result.then(forget, forget);
    return call;
  }
}
