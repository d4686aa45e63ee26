import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than the few statements take that differ between an address with an account and one without. */
export const STEADY_MS = 250;

/**
 * Answers no sooner than `afterMs`, so that the time does not tell what the work found. What it throws is thrown at once:
 * such refusals depend on the input alone.
 */
export async function answerSteadily<Result>(afterMs: number, work: () => Promise<Result>): Promise<Result> {
  const [result] = await Promise.all([work(), sleep(afterMs)]);
  return result;
}
