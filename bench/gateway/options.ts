import { parseArgs } from 'node:util';
import { TARGET_NAMES, type TargetName } from './targets';
import { QUERY_NAMES, type QueryName } from './workload/queries';

const USAGE = `npm run bench:gateway -- [options]
  --targets LIST      ${TARGET_NAMES.join(', ')} (default: all)
  --queries LIST      ${QUERY_NAMES.join(', ')}, hostile (default: all)
  --connections LIST  (default: 1,16,50)
  --rounds N          targets take turns this often; medians are reported (default: 3)
  --seconds N         length of one measurement (default: 1.2)
  --warm-up N         seconds of load for each target and query before the first round (default: 2)
  --write             stores the report in bench/RESULTS.md
  --profile TARGET    instead of measuring: profiles one target under load and prints where the time goes
  --help              this text`;

export interface Options {
  targets: TargetName[];
  queries: QueryName[];
  hostile: boolean;
  connections: number[];
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  write: boolean;
  profile: TargetName | null;
}

/** Reads the command line. Throws an error with the usage for what it does not know; null when help was asked for. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      targets: { type: 'string', default: TARGET_NAMES.join() },
      queries: { type: 'string', default: [...QUERY_NAMES, 'hostile'].join() },
      connections: { type: 'string', default: '1,16,50' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '1.2' },
      'warm-up': { type: 'string', default: '2' },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return null;
  }
  const queries = list(values.queries, [...QUERY_NAMES, 'hostile'] as const);
  return {
    targets: list(values.targets, TARGET_NAMES),
    queries: queries.filter((name) => name !== 'hostile'),
    hostile: queries.includes('hostile'),
    connections: values.connections.split(',').map((text) => positive(text, 'connections')),
    rounds: positive(values.rounds, 'rounds'),
    seconds: positive(values.seconds, 'seconds'),
    warmUpSeconds: positive(values['warm-up'], 'warm-up'),
    write: values.write,
    profile: values.profile === undefined ? null : (list(values.profile, TARGET_NAMES)[0] ?? null),
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
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0; it is "${text}".\n\n${USAGE}`);
  return value;
}
