import { setMaxListeners } from 'node:events';
import type { Caller } from './execution';

const DEADLINE = Symbol('the deadline passed');

/** Whether a signal's reason is a passed deadline and not a client that left. */
export function isDeadline(reason: unknown): boolean {
  return reason === DEADLINE;
}

/** When an operation of a caller is to be given up. End it when the work is done. */
export interface Deadline {
  signal: AbortSignal;
  end(): void;
}

/**
 * A signal that follows the caller's and also aborts `ms` after now, or after the request body is in. It is the caller's
 * own where nothing else listens to that; otherwise `end` takes care that nothing stays behind on a signal that may live
 * for as long as a subscription.
 */
export function deadline(
  { signal: parent, controller: own, bodyReceived }: Pick<Caller, 'signal' | 'controller' | 'bodyReceived'>,
  ms: number,
): Deadline {
  const controller = own ?? new AbortController();
  setMaxListeners(0, controller.signal); // one for every call under way, and a plan may have many
  const follow = (): void => controller.abort(parent.reason);
  if (!own) {
    if (parent.aborted) follow();
    else parent.addEventListener('abort', follow, { once: true });
  }
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    if (!hasEnded) timer = setTimeout(pass, ms, controller);
  };
  if (bodyReceived) bodyReceived.then(start, start);
  else start();
  return {
    signal: controller.signal,
    end() {
      hasEnded = true;
      clearTimeout(timer);
      if (!own) parent.removeEventListener('abort', follow);
    },
  };
}

function pass(controller: AbortController): void {
  controller.abort(DEADLINE);
}
