import type { CancelSignal } from './cancellation';

/** Settles like `work`, or rejects with the signal's reason as soon as it aborts: not everything that is awaited listens to its signal. */
export async function orAborted<Value>(work: Promise<Value>, signal: CancelSignal): Promise<Value> {
  work.catch(() => {}); // after an abort nobody listens any more
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is handed on as it is
    abort = () => reject(signal.reason);
  });
  if (signal.aborted) throw signal.reason;
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
