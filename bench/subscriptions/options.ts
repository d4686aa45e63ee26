import { parseArgs } from 'node:util';
import { TARGET_NAMES, type TargetName } from './stage';

export const SCENARIO_NAMES = ['fan-out', 'selections', 'sockets', 'cycles', 'stalled'] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** Sizes of the scenarios: those that the goals are for, and those of a quick look. */
const SIZES = {
  full: {
    subscribers: 10_000,
    events: 30,
    selective: 1_000,
    sockets: 3_000,
    cycles: 100_000,
    stalled: 100,
    megabytes: 200,
  },
  quick: { subscribers: 500, events: 10, selective: 100, sockets: 100, cycles: 1_600, stalled: 10, megabytes: 20 },
};
type Sizes = (typeof SIZES)['full'];

const USAGE = `npm run bench:subscriptions -- [options]
  --scenarios LIST    ${SCENARIO_NAMES.join(', ')} (default: all)
  --targets LIST      ${TARGET_NAMES.join(', ')} (default: all)
  --quick             small sizes, to see that everything runs; the goals are not for these
  --subscribers N     of one job, in fan-out (default: ${SIZES.full.subscribers})
  --events N          lines that are announced in fan-out and selections (default: ${SIZES.full.events})
  --selective N       subscribers with different selections (default: ${SIZES.full.selective})
  --sockets N         connections of the scenario of that name (default: ${SIZES.full.sockets})
  --cycles N          (default: ${SIZES.full.cycles})
  --stalled N         connections that are not read (default: ${SIZES.full.stalled})
  --megabytes N       published while they are not read (default: ${SIZES.full.megabytes})
  --write             stores the report in bench/RESULTS.md
  --help              this text`;

export interface Options extends Sizes {
  scenarios: ScenarioName[];
  targets: TargetName[];
  quick: boolean;
  write: boolean;
}

/** Reads the command line. Throws an error with the usage for what it does not know; null when help was asked for. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenarios: { type: 'string', default: SCENARIO_NAMES.join() },
      targets: { type: 'string', default: TARGET_NAMES.join() },
      quick: { type: 'boolean', default: false },
      subscribers: { type: 'string' },
      events: { type: 'string' },
      selective: { type: 'string' },
      sockets: { type: 'string' },
      cycles: { type: 'string' },
      stalled: { type: 'string' },
      megabytes: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return null;
  }
  const sizes = values.quick ? SIZES.quick : SIZES.full;
  const size = (name: keyof Sizes): number => positive(values[name] ?? String(sizes[name]), name);
  return {
    scenarios: list(values.scenarios, SCENARIO_NAMES),
    targets: list(values.targets, TARGET_NAMES),
    quick: values.quick,
    write: values.write,
    subscribers: size('subscribers'),
    events: size('events'),
    selective: size('selective'),
    sockets: size('sockets'),
    cycles: size('cycles'),
    stalled: size('stalled'),
    megabytes: size('megabytes'),
  };
}

function list<Name extends string>(text: string, known: readonly Name[]): Name[] {
  const wanted = text.split(',').map((name) => name.trim());
  const unknown = wanted.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Error(`"${unknown.join()}" is none of ${known.join(', ')}.\n\n${USAGE}`);
  return known.filter((name) => wanted.includes(name));
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0))
    throw new Error(`--${name} must be a whole number above 0; it is "${text}".\n\n${USAGE}`);
  return value;
}
