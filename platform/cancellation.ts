type CancelListener = (() => void) | { handleEvent(): void };

/** What says whether work is still wanted: an `AbortSignal`, or a `Cancellation`, which is all that most work needs. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: CancelListener): void;
  removeEventListener(type: 'abort', listener: CancelListener): void;
}

/**
 * Both ends of a cancellation in one small object. Node takes 5 µs to make an `AbortSignal` and listen to it, which is
 * a good part of a small operation; this takes none to speak of. Listeners are called once, in the order in which they came.
 */
export class Cancellation implements CancelSignal {
  aborted = false;
  reason: unknown;
  /** Nearly always there is one: only more of them make a set. */
  private first: CancelListener | undefined;
  private others: Set<CancelListener> | undefined;

  addEventListener(_type: 'abort', listener: CancelListener): void {
    if (this.first === undefined && !this.others?.size) this.first = listener;
    else if (this.first !== listener) (this.others ??= new Set()).add(listener);
  }

  removeEventListener(_type: 'abort', listener: CancelListener): void {
    if (this.first === listener) this.first = undefined;
    else this.others?.delete(listener);
  }

  /** Tells all listeners, the first time; they must not throw. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = [...(this.first ? [this.first] : []), ...(this.others ?? [])];
    this.first = this.others = undefined;
    for (const listener of listeners) {
      if (typeof listener === 'function') listener();
      else listener.handleEvent();
    }
  }
}

/** The same as an `AbortSignal`, for what takes nothing else. */
export function abortSignalOf(signal: CancelSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  if (signal.aborted) return AbortSignal.abort(signal.reason);
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort(signal.reason));
  return controller.signal;
}
