import { Cancellation, type CancelSignal } from '../../platform/cancellation';

const DEADLINE = Symbol('the deadline passed');

/** Whether a signal's reason is a passed deadline and not a client that left. */
export function isDeadline(reason: unknown): boolean {
  return reason === DEADLINE;
}

/**
 * A signal that follows `parent` and also aborts `ms` after now, or after `from` settles. Dispose it when the work is
 * done: it must not stay behind on a parent that lives for as long as a subscription.
 */
export function deadline(
  parent: CancelSignal,
  ms: number,
  from?: Promise<void>,
): { signal: CancelSignal } & Disposable {
  const signal = new Cancellation();
  const follow = (): void => signal.abort(parent.reason);
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  const start = (): void => {
    if (!disposed) timer = setTimeout(() => signal.abort(DEADLINE), ms);
  };
  if (from) from.then(start, start);
  else start();
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow);
  return {
    signal,
    [Symbol.dispose]() {
      disposed = true;
      clearTimeout(timer);
      parent.removeEventListener('abort', follow);
    },
  };
}
