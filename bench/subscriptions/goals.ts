import { figure, table } from '../gateway/table';
import type { Figures, Row, ScenarioKey } from './figures';
import type { TargetName } from './stage';

interface Goal {
  scenario: ScenarioKey;
  title: string;
  wanted: string;
  value: (figures: Figures) => number | undefined;
  digits: number;
  isMet: (value: number, raw: number | undefined) => boolean;
}

const KIB = 1_024;
const MIB = 1_024 ** 2;

const atMost =
  (limit: number) =>
  (value: number): boolean =>
    value <= limit;
/** Twice what the raw server takes in the same run; without that figure nothing can be said. */
const twiceRaw = (value: number, raw: number | undefined): boolean => raw !== undefined && value <= 2 * raw;
const scaled = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? undefined : value / by;
const faults = ({ lost, repeated, outOfOrder, wrong }: Figures): number | undefined =>
  lost === undefined ? undefined : lost + (repeated ?? 0) + (outOfOrder ?? 0) + (wrong ?? 0);

function fanOutGoals(scenario: ScenarioKey, name: string): Goal[] {
  const p99 = { scenario, value: ({ p99Ms }: Figures) => p99Ms, digits: 0 };
  return [
    { ...p99, title: `${name}: line → last client, p99 ms`, wanted: '≤ 1000', isMet: atMost(1_000) },
    { ...p99, title: `${name}: the same beside raw`, wanted: '≤ 2 × raw', isMet: twiceRaw },
    {
      scenario,
      title: `${name}: KiB heap per idle subscriber`,
      wanted: '≤ 12',
      value: ({ heapPerSubscriberBytes }) => scaled(heapPerSubscriberBytes, KIB),
      digits: 1,
      isMet: atMost(12),
    },
    {
      scenario,
      title: `${name}: upstream subscriptions`,
      wanted: '1',
      value: ({ upstreams }) => upstreams,
      digits: 0,
      isMet: (value) => value === 1,
    },
    entityGoal(scenario, name),
    faultGoal(scenario, name),
  ];
}

function entityGoal(scenario: ScenarioKey, name: string): Goal {
  const value = ({ entityCallsPerEvent }: Figures): number | undefined => entityCallsPerEvent;
  return { scenario, title: `${name}: \`_entities\` calls per event`, wanted: '1', value, digits: 1, isMet: atMost(1) };
}

function faultGoal(scenario: ScenarioKey, name: string): Goal {
  const title = `${name}: lost, repeated, out of order, wrong`;
  return { scenario, title, wanted: '0', value: faults, digits: 0, isMet: atMost(0) };
}

const GOALS: readonly Goal[] = [
  ...fanOutGoals('fan-out multiplexed', 'fan-out, 50 on a socket'),
  ...fanOutGoals('fan-out one each', 'fan-out, one on a socket'),
  entityGoal('selections mixed', '20 selections'),
  faultGoal('selections mixed', '20 selections'),
  entityGoal('selections languages', '20 selections, differing arguments'),
  faultGoal('selections languages', '20 selections, differing arguments'),
  faultGoal('sockets', 'many sockets'),
  {
    scenario: 'cycles',
    title: 'cycles: MiB heap more, after GC',
    wanted: '≤ 10',
    value: ({ heapGrowthBytes }) => scaled(heapGrowthBytes, MIB),
    digits: 1,
    isMet: atMost(10),
  },
  {
    scenario: 'stalled',
    title: 'stalled: MiB resident more',
    wanted: '≤ 32',
    value: ({ rssGrowthBytes }) => scaled(rssGrowthBytes, MIB),
    digits: 0,
    isMet: atMost(32),
  },
  faultGoal('stalled', 'stalled, the honest readers'),
  stalledGoal('stalled: not closed by the server', ({ connections, closed }) => connections - closed),
  stalledGoal('stalled: closed otherwise than with 4413', ({ closed, closedWith4413 }) => closed - closedWith4413),
];

function stalledGoal(title: string, count: (stalled: NonNullable<Figures['stalled']>) => number): Goal {
  const value = ({ stalled }: Figures): number | undefined => stalled && count(stalled);
  return { scenario: 'stalled', title, wanted: '0', value, digits: 0, isMet: atMost(0) };
}

/** Every goal of a scenario that was run, with what Sauti and the raw server took, and whether Sauti met it. */
export function goalsTable(rows: readonly Row[]): string {
  const valueOf = ({ scenario, value }: Goal, wanted: TargetName): number | undefined => {
    const row = rows.find(({ key, target }) => key === scenario && target === wanted);
    return row && value(row.figures);
  };
  const lines = GOALS.filter(({ scenario }) =>
    rows.some(({ key, target }) => key === scenario && target === 'sauti'),
  ).map((goal) => {
    const sauti = valueOf(goal, 'sauti');
    const raw = valueOf(goal, 'raw');
    const isMet = sauti !== undefined && goal.isMet(sauti, raw);
    const ratio = sauti !== undefined && raw !== undefined && raw > 0 && sauti >= 0 ? figure(sauti / raw, 2) : '–';
    return [goal.title, goal.wanted, figure(sauti, goal.digits), figure(raw, goal.digits), ratio, isMet ? '✓' : '✗'];
  });
  return table(['', 'goal', 'Sauti', 'raw', 'ratio', ''], lines);
}
