/** Answers the access token; another one when the last was refused. Throws to give up. */
export type Token = (mustBeNew: boolean) => string | undefined | Promise<string | undefined>;

/** `fetch` with the access token, that asks for another one and tries once more when the answer is 401. */
export function authorizedFetch(token: Token): typeof fetch {
  const send = async (mustBeNew: boolean, ...[target, init]: Parameters<typeof fetch>): Promise<Response> => {
    const headers = new Headers(init?.headers);
    const accessToken = await token(mustBeNew);
    if (accessToken !== undefined) headers.set('authorization', `Bearer ${accessToken}`);
    return fetch(target, { ...init, headers });
  };
  return async (target, init) => {
    const response = await send(false, target, init);
    if (response.status !== 401) return response;
    await response.body?.cancel();
    return send(true, target, init);
  };
}

/**
 * `fetch` whose streams break when they are silent for longer than `silenceMs` (default 25 s: the gateway gives a sign of
 * life every 10 s), and when they end. Whoever saw the last event does not mind; for everybody else it came too early.
 */
export function streamingFetch(send = fetch, silenceMs = 25_000): typeof fetch {
  return async (target, init) => {
    const response = await send(target, init);
    const isStream = /^text\/event-stream|subscriptionSpec/i.test(response.headers.get('content-type') ?? '');
    return isStream && response.body ? new Response(watched(response.body, silenceMs), response) : response;
  };
}

function watched(body: ReadableStream<Uint8Array>, silenceMs: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let isSilent = false;
      const timer = setTimeout(() => {
        isSilent = true;
        void reader.cancel().catch(() => {});
      }, silenceMs);
      try {
        const { done, value } = await reader.read();
        if (done) throw new TypeError(isSilent ? `The stream was silent for ${silenceMs} ms.` : 'The stream ended.');
        controller.enqueue(value);
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
