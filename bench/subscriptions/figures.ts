import type { EventFigures, Tally } from './load-messages';
import type { TargetName } from './stage';

/** What was found for one target in one scenario. Undefined: the scenario does not measure it. */
export interface Figures {
  subscribers?: number;
  /** From the announcement of a line to its last subscriber; over all lines. */
  p50Ms?: number;
  p99Ms?: number;
  entityCallsPerEvent?: number;
  /** Streams open at the source while all subscribers were there. */
  upstreams?: number;
  heapPerSubscriberBytes?: number;
  deliveries?: number;
  lost?: number;
  repeated?: number;
  outOfOrder?: number;
  wrong?: number;
  /** CPU time of the target, for 1 000 deliveries. */
  cpuMsPer1000?: number;
  /** The same of the load generator: what a line takes at least to reach the last of 1 000 subscribers. */
  loadCpuMsPer1000?: number;
  /** Heap after a garbage collection, compared with before. */
  heapGrowthBytes?: number;
  /** Resident memory: the most during the measurement, compared with the most before it. */
  rssGrowthBytes?: number;
  /** CPU time of the target from subscribing to completing, with a line in between. */
  cpuMsPerCycle?: number;
  stalled?: { connections: number; closedWith4413: number; toldCursor: number; closes: string };
}

export type ScenarioKey =
  | 'fan-out multiplexed'
  | 'fan-out one each'
  | 'selections mixed'
  | 'selections languages'
  | 'sockets'
  | 'cycles'
  | 'stalled';

/** One line of the report. */
export interface Row {
  key: ScenarioKey;
  title: string;
  target: TargetName;
  figures: Figures;
  /** Why the scenario could not be run, or what was wrong in it; null when nothing was. */
  failure: string | null;
}

export function tallyFigures({ lost, repeated, outOfOrder, wrong }: Tally): Figures {
  return { lost, repeated, outOfOrder, wrong };
}

export function eventFigures(events: readonly EventFigures[]): Figures {
  const deliveries = events.reduce((sum, { received }) => sum + received, 0);
  const sorted = events.flatMap(({ lastMs }) => (lastMs === null ? [] : [lastMs])).sort((a, b) => a - b);
  if (sorted.length === 0) return { deliveries };
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]!;
  return { deliveries, p50Ms: at(0.5), p99Ms: at(0.99) };
}

export function failureOf(tallies: readonly Tally[]): string | null {
  const example = tallies.find(({ wrongExample }) => wrongExample !== null)?.wrongExample;
  return example == null ? null : `a wrong message: ${example}`;
}
