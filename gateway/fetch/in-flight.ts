import type { CancelSignal } from '../../platform/cancellation';

/** A call under way that can be ended before it has settled. */
export interface Cancellable {
  cancel(): void;
}

/** Starts a call that settles through one of the two functions, or through neither when it is cancelled. */
export type StartCall<Value> = (resolve: (value: Value) => void, reject: (error: unknown) => void) => Cancellable;

/** Calls under way that may have several callers, by key. */
export class InFlightCalls<Value> {
  private readonly calls = new Map<string, SharedCall<Value>>();

  /**
   * Waits for the call under this key, and starts it when there is none. A caller whose signal aborts is rejected with
   * its reason; only when it was the last one the call is cancelled, and nobody joins it any more.
   */
  join(key: string, signal: CancelSignal, start: StartCall<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is handed on as it is
      if (signal.aborted) return reject(signal.reason);
      const running = this.calls.get(key);
      const call = running ?? new SharedCall<Value>(() => this.calls.delete(key));
      call.add(new Caller(call, signal, resolve, reject));
      if (running) return;
      this.calls.set(key, call);
      call.start(start); // last, because it may settle at once
    });
  }
}

class SharedCall<Value> {
  private readonly callers = new Set<Caller<Value>>();
  private running: Cancellable | undefined;

  constructor(private readonly onEnd: () => void) {}

  start(start: StartCall<Value>): void {
    this.running = start(
      (value) => this.settle((caller) => caller.resolve(value)),
      (error) => this.settle((caller) => caller.reject(error)),
    );
  }

  add(caller: Caller<Value>): void {
    caller.signal.addEventListener('abort', caller);
    this.callers.add(caller);
  }

  leave(caller: Caller<Value>): void {
    this.callers.delete(caller);
    if (this.callers.size > 0) return;
    this.onEnd();
    this.running?.cancel();
  }

  private settle(tell: (caller: Caller<Value>) => void): void {
    this.onEnd();
    for (const caller of this.callers) {
      caller.signal.removeEventListener('abort', caller);
      tell(caller);
    }
  }
}

/** One who waits for a shared call; also the listener of its own signal. */
class Caller<Value> {
  constructor(
    private readonly call: SharedCall<Value>,
    readonly signal: CancelSignal,
    readonly resolve: (value: Value) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  handleEvent(): void {
    this.signal.removeEventListener('abort', this);
    this.reject(this.signal.reason);
    this.call.leave(this);
  }
}
