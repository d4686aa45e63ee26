/** Settles like the promise, or rejects with the signal's reason as soon as it aborts; the promise itself goes on. */
export async function rejectOnAbort<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  promise.catch(() => {}); // after an abort nobody listens any more
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Yields what the source yields until the signal aborts, even while the source is silent. Ends the source when left early. */
export async function* untilAborted<Value>(
  source: AsyncIterable<Value>,
  signal: AbortSignal,
): AsyncGenerator<Value, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  try {
    while (!isOver) {
      const result = await rejectOnAbort(iterator.next(), signal);
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
