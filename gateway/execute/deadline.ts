import { setMaxListeners } from 'node:events';

const DEADLINE = Symbol('the deadline passed');

/** Whether a signal's reason is a passed deadline and not a client that left. */
export function isDeadline(reason: unknown): boolean {
  return reason === DEADLINE;
}

/**
 * A signal that follows `parent` and also aborts `ms` after now, or after `from` settles. Dispose it when the work is
 * done: it must not stay behind on a parent that lives for as long as a subscription.
 */
export function deadline(parent: AbortSignal, ms: number, from?: Promise<void>): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one for every call under way, and a plan may have many
  const follow = (): void => controller.abort(parent.reason);
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  const start = (): void => {
    if (!disposed) timer = setTimeout(() => controller.abort(DEADLINE), ms);
  };
  if (from) from.then(start, start);
  else start();
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      disposed = true;
      clearTimeout(timer);
      parent.removeEventListener('abort', follow);
    },
  };
}
