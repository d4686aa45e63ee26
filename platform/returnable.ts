import { abortSignalOf, type CancelSignal } from './cancellation';

/**
 * A generator whose `return()` acts at once. A plain async generator that waits inside `await` notices `return()` only
 * after that wait ends, which for a quiet subscription is never; this one aborts the signal its body waits with first.
 * `open` receives that signal; it is also aborted when `outer` is.
 */
export function returnable<Item>(
  outer: CancelSignal,
  open: (signal: AbortSignal) => AsyncGenerator<Item, void, void>,
): AsyncGenerator<Item, void, void> {
  const own = new AbortController();
  const signal = AbortSignal.any([abortSignalOf(outer), own.signal]);
  const generator = open(signal);
  const wrapped: AsyncGenerator<Item, void, void> = {
    next: () => generator.next(),
    return: () => {
      own.abort(new Error('The reader left.'));
      return generator.return();
    },
    throw: (error) => {
      own.abort(error);
      return generator.throw(error);
    },
    [Symbol.asyncIterator]: () => wrapped,
    [Symbol.asyncDispose]: async () => void (await wrapped.return()),
  };
  return wrapped;
}
