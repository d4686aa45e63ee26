import type { Random } from '../../gateway/differential/random';
import type { Crowd } from './crowd';
import type { Target } from './target';
import type { Writing } from './writing';

/** How often the next kill comes while the last one's victim is not ready yet. */
const OVERLAP = 0.2;
/** How often, once it is ready, the next kill comes before everybody has caught up. */
const HURRY = 0.3;

export interface Kill {
  target: string;
  kind: Target['kind'];
  /** How many events of each topic there were. */
  atEvent: number;
  /** From the kill to the moment when its victim was ready; null when that was not waited for. */
  readyMs: number | null;
  /** From the kill to the moment when every reader had every event committed by then; null when that was not waited for. */
  caughtUpMs: number | null;
}

export interface KillingOptions {
  targets: readonly Target[];
  kills: number;
  /** Events of each topic, over which the kills are spread. */
  events: number;
  writing: Writing;
  crowd: Crowd;
  random: Random;
  tell: (line: string) => void;
}

/**
 * Kills one target after the other, each in the middle of writing and of its own share of the events. Every target has
 * its turn before one has its second. Rejects when what was killed does not come back or readers do not catch up.
 */
export async function killAtRandom(options: KillingOptions, kills: Kill[], signal: AbortSignal): Promise<void> {
  const { writing, events, random, tell } = options;
  const share = Math.floor(events / (options.kills + 1));
  const unwaited: Promise<unknown>[] = [];
  let deck: Target[] = [];
  while (kills.length < options.kills) {
    const number = kills.length;
    writing.allow(share * (number + 1));
    await writing.reached(share * number + random.below(share), signal);
    signal.throwIfAborted();
    if (deck.length === 0) deck = [...options.targets];
    const [target] = deck.splice(random.below(deck.length), 1);
    const kill = await killOne(target!, options, unwaited);
    kills.push(kill);
    tell(`kill ${number + 1}: ${kill.target} at event ${kill.atEvent}${timesOf(kill)}`);
  }
  await Promise.all(unwaited);
  writing.allow(events);
}

async function killOne(target: Target, options: KillingOptions, unwaited: Promise<unknown>[]): Promise<Kill> {
  const { writing, crowd, random } = options;
  const isOverlapping = random.chance(OVERLAP);
  const isHurried = random.chance(HURRY);
  const killedAt = performance.now();
  const elapsedMs = (): number => Math.round(performance.now() - killedAt);
  const kill: Kill = {
    target: target.name,
    kind: target.kind,
    atEvent: writing.committed,
    readyMs: null,
    caughtUpMs: null,
  };
  await target.kill();
  const ready = target.ready();
  if (isOverlapping) {
    ready.catch(() => undefined); // it is waited for at the end
    unwaited.push(ready);
    return kill;
  }
  await ready;
  kill.readyMs = elapsedMs();
  if (isHurried) return kill;
  await crowd.caughtUp(writing.committed);
  kill.caughtUpMs = elapsedMs();
  return kill;
}

function timesOf({ readyMs, caughtUpMs }: Kill): string {
  const ready = readyMs === null ? ', not waited for' : `, ready after ${readyMs} ms`;
  return caughtUpMs === null ? ready : `${ready}, everybody caught up after ${caughtUpMs} ms`;
}
