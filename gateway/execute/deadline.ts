import { Cancellation, type CancelSignal } from '../../platform/cancellation';
import type { Caller } from './execution';

const DEADLINE = Symbol('the deadline passed');

/** Whether a signal's reason is a passed deadline and not a client that left. */
export function isDeadline(reason: unknown): boolean {
  return reason === DEADLINE;
}

/** When an operation of a caller is to be given up. End it when the work is done. */
export interface Deadline {
  signal: CancelSignal;
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
  const controller = own ?? new Cancellation();
  const follow = (): void => controller.abort(parent.reason);
  if (!own) {
    if (parent.aborted) follow();
    else parent.addEventListener('abort', follow);
  }
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    if (!hasEnded) timer = setTimeout(pass, ms, controller);
  };
  if (bodyReceived) bodyReceived.then(start, start);
  else start();
  return {
    signal: controller,
    end() {
      hasEnded = true;
      clearTimeout(timer);
      if (!own) parent.removeEventListener('abort', follow);
    },
  };
}

function pass(controller: Cancellation): void {
  controller.abort(DEADLINE);
}
