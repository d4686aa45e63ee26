import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves to the first truthy value that `look` gives, asking every 25 ms. A `look` that throws counts as "not yet".
 * Rejects after `limitMs` (default 20 s, generous: a test waits for a condition, never for a while).
 */
export async function waitFor<Value>(
  what: string,
  look: () => Value | Promise<Value>,
  limitMs = 20_000,
): Promise<NonNullable<Value>> {
  const deadlineAt = Date.now() + limitMs;
  let last: unknown = 'nothing';
  while (Date.now() < deadlineAt) {
    try {
      const value = await look();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await sleep(25);
  }
  throw new Error(`Waited ${limitMs} ms for ${what}; last seen: ${String(last)}`);
}
