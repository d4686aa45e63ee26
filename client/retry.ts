import { setTimeout as delay } from 'node:timers/promises';

/** How long calls are repeated. */
const LIMIT_MS = 60_000;
const MAX_WAIT_MS = 5_000;

/**
 * Repeats a call that got no answer because the network failed or the server was going down, for a minute at most; then it
 * throws what the last attempt threw. Only for what may be done twice: queries, and mutations with an idempotency key.
 * With `isFirst` an address where nobody listens is not tried again: it is probably the wrong one.
 */
export async function untilAnswered<Result>(
  call: () => Promise<Result>,
  { isFirst = false }: { isFirst?: boolean } = {},
): Promise<Result> {
  const endsAt = performance.now() + LIMIT_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!gotNoAnswer(error) || (isFirst && nobodyListens(error)) || performance.now() > endsAt) throw error;
      await delay(Math.random() * Math.min(MAX_WAIT_MS, 250 * 2 ** attempt));
    }
  }
}

/** Of an address where nothing listens, or that does not exist. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether nothing at all listens at the address. `fetch` refuses some ports by itself (https://fetch.spec.whatwg.org/#port-blocking). */
export function nobodyListens(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const { code } = current as { code?: unknown };
    if ((typeof code === 'string' && NOBODY.has(code)) || current.message === 'bad port') return true;
  }
  return false;
}

/** `fetch` throws a TypeError for every failure of the network. A server that goes down, or what stands before it, answers 502 to 504. */
function gotNoAnswer(error: unknown): boolean {
  return error instanceof TypeError || [502, 503, 504].includes((error as { status?: number } | null)?.status ?? 0);
}
