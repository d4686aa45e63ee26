import { orAborted } from '../../../platform/or-aborted';

/** Yields what the source yields until the signal aborts, even while the source is silent. Ends the source when left early. */
export async function* untilAborted<Value>(
  source: AsyncIterable<Value>,
  signal: AbortSignal,
): AsyncGenerator<Value, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  try {
    while (!isOver) {
      const result = await orAborted(iterator.next(), signal);
      isOver = result.done === true;
      if (!result.done) yield result.value;
    }
  } finally {
    const ending = isOver ? undefined : iterator.return?.();
    // A source stuck in next() answers return() only after it; an aborted caller does not wait for that.
    if (signal.aborted) void ending?.catch(() => {});
    else await ending;
  }
}
