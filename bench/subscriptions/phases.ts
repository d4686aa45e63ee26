import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from './stage';

const LOOK_EVERY_MS = 100;
/** The source has all readers it will get when none has come for this long. */
const SETTLED_AFTER_MS = 1_500;
const START_LIMIT_MS = 240_000;
const REACH_LIMIT_MS = 60_000;
const IDLE_LIMIT_MS = 60_000;
/** Of a line that is only there to tell who is. */
const SHORT_BYTES = 20;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/**
 * Announces lines until every subscriber of the audiences has had one: only then all are surely there. Resolves with the
 * number of a line that reached all. Throws when one got something else, or when that takes more than four minutes.
 */
export async function untilStarted(stage: Stage, job: string, audiences: readonly string[]): Promise<number> {
  const { load, source } = stage;
  const deadline = performance.now() + START_LIMIT_MS;
  for (const audience of audiences)
    for (let waitMs = FIRST_WAIT_MS; !(await load.hasStarted(audience, waitMs)); waitMs *= 2) {
      waitMs = Math.min(waitMs, LONGEST_WAIT_MS / 2);
      const { wrong } = await load.tally(audience, 0); // a subscription that has failed will not start
      if (wrong > 0 || performance.now() > deadline) throw new Error(await describeWait(stage, audience));
      await source.publish(job, 1, SHORT_BYTES);
    }
  const seq = await source.publish(job, 1, SHORT_BYTES);
  for (const audience of audiences)
    if (!(await load.hasReached(audience, seq, REACH_LIMIT_MS)))
      throw new Error(`line ${seq} has not reached all subscribers of "${audience}" in a minute`);
  return seq;
}

async function describeWait({ load, source }: Stage, audience: string): Promise<string> {
  const waiting = await load.waiting(audience);
  const { wrongExample } = await load.tally(audience, 0);
  const { readersOpen } = await source.count();
  const example = wrongExample === null ? '' : `; a wrong message: ${wrongExample}`;
  return `not everybody got lines: ${waiting} subscribers are waiting, ${readersOpen} streams are open at the source${example}`;
}

/** Waits until no more readers come to the source: lines that are announced before that would only be in their way. */
export async function untilSettled({ source }: Stage): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  let { readersOpen: before } = await source.count();
  for (let changedAt = performance.now(); performance.now() < Math.min(deadline, changedAt + SETTLED_AFTER_MS);) {
    await pause(LOOK_EVERY_MS);
    const { readersOpen } = await source.count();
    if (readersOpen !== before) changedAt = performance.now();
    before = readersOpen;
  }
}

/** Waits until nobody reads at the source any more. Throws when that takes more than a minute. */
export async function untilIdle({ source }: Stage): Promise<void> {
  const deadline = performance.now() + IDLE_LIMIT_MS;
  for (;;) {
    const { readersOpen } = await source.count();
    if (readersOpen === 0) return;
    if (performance.now() > deadline) throw new Error(`${readersOpen} streams are still open at the source`);
    await pause(LOOK_EVERY_MS);
  }
}
