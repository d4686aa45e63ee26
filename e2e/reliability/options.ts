import { namesAmong, wholeNumber } from '../option-values';
import { parseArgs } from 'node:util';

export const BACKENDS = ['postgres', 'redis'] as const;
/** What hands out the jobs. */
export type Backend = (typeof BACKENDS)[number];

export interface ReliabilityOptions {
  backend: Backend;
  jobs: number;
  /** Accounts that the jobs belong to. */
  owners: number;
  workers: number;
  /** `kill -9` of workers; each is started again at once. */
  kills: number;
  /** Immediate stops of the database, which comes back and recovers. */
  stops: number;
  /** Repeats the same faults in the same order, each after the same number of results. */
  seed: number;
  /** Told what happens, a line at a time. */
  tell: (line: string) => void;
}

/** The promise's own figures (P20). */
export const FULL = { jobs: 600, owners: 12, workers: 3, kills: 100, stops: 5 };

const USAGE = `npm run reliability -- [options]
  --backends LIST   of ${BACKENDS.join(', ')} (default: all, one after the other)
  --jobs N          (default: ${FULL.jobs})
  --owners N        accounts that the jobs belong to (default: ${FULL.owners})
  --workers N       processes (default: ${FULL.workers})
  --kills N         kill -9 of a worker by chance (default: ${FULL.kills})
  --stops N         immediate stops of the database (default: ${FULL.stops})
  --seed N          repeats a run's faults (default: by chance; it is printed)
  --help            this text`;

/** Reads the command line. Throws an error with the usage for what it does not know; null when help was asked for. */
export function readOptions(argv: readonly string[]): Omit<ReliabilityOptions, 'tell'>[] | null {
  const number = (value: number) => ({ type: 'string', default: String(value) }) as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      backends: { type: 'string', default: BACKENDS.join() },
      jobs: number(FULL.jobs),
      owners: number(FULL.owners),
      workers: number(FULL.workers),
      kills: number(FULL.kills),
      stops: number(FULL.stops),
      seed: number(1 + Math.floor(Math.random() * 1_000_000)),
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return null;
  }
  return namesAmong(values.backends, BACKENDS, USAGE).map((backend) => ({
    backend,
    jobs: wholeNumber(values.jobs, 'jobs', 1, USAGE),
    owners: wholeNumber(values.owners, 'owners', 1, USAGE),
    workers: wholeNumber(values.workers, 'workers', 1, USAGE),
    kills: wholeNumber(values.kills, 'kills', 0, USAGE),
    stops: wholeNumber(values.stops, 'stops', 0, USAGE),
    seed: wholeNumber(values.seed, 'seed', 0, USAGE),
  }));
}
