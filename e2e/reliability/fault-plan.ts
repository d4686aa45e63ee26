import { createRandom, hash } from '../../gateway/differential/random';
import type { ReliabilityOptions } from './options';

export type Fault =
  | {
      kind: 'kill';
      /** How many results there are when it comes. */
      atResult: number;
      /** Number of the worker, from 0; when that one is not up yet, one that is. */
      victim: number;
      /** It dies even when it is just starting. */
      isHurried: boolean;
    }
  | {
      kind: 'stop';
      atResult: number;
      /** The next fault comes while the database recovers. */
      isHurried: boolean;
    };

/** Part of the results that are left when the last fault comes: what it has broken must still get done. */
const QUIET_END = 0.1;
const HURRY = 0.25;

/** All faults in the order in which they come: one by chance within each equal share of the results. */
export function planFaults(
  options: Pick<ReliabilityOptions, 'jobs' | 'workers' | 'kills' | 'stops' | 'seed'>,
): Fault[] {
  const random = createRandom(hash(`${options.seed} faults`));
  const kinds: Fault['kind'][] = Array.from({ length: options.kills }, () => 'kill');
  for (let stop = 0; stop < options.stops; stop++) kinds.splice(random.below(kinds.length + 1), 0, 'stop');
  const share = (options.jobs * (1 - QUIET_END)) / kinds.length;
  return kinds.map((kind, index) => {
    const atResult = Math.floor(share * index + random.below(Math.ceil(share)));
    const isHurried = random.chance(HURRY);
    return kind === 'stop'
      ? { kind, atResult, isHurried }
      : { kind, atResult, isHurried, victim: random.below(options.workers) };
  });
}
