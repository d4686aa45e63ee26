import { namesAmong, wholeNumber } from '../option-values';
import { parseArgs } from 'node:util';
import { RESUMES, type Resume } from './followed';
import type { SubgraphName } from './stack';
import { TRANSPORT_NAMES, type TransportName } from './transports/transports';

export interface ChaosOptions {
  /** Clients that each read `events` events of a transcript; beside them one for the jobs of each account. */
  readers: number;
  /** Events in each topic of segments, the last one being the end of the transcript. */
  events: number;
  kills: number;
  /** Jobs that are run by the worker meanwhile. */
  jobs: number;
  gateways: number;
  subgraphs: readonly SubgraphName[];
  transports: readonly TransportName[];
  /** Each combination with a transport is somebody's. */
  resumes: readonly Resume[];
  /** Repeats the same kills in the same order, each after the same event. */
  seed: number;
  /** Told what happens, a line at a time. */
  tell: (line: string) => void;
}

/** The issue's own figures. */
const FULL = { readers: '200', events: '2000', kills: '50', jobs: '100', gateways: '2' };
const ALL_SUBGRAPHS: readonly SubgraphName[] = ['users', 'media', 'notification', 'translation'];

const USAGE = `npm run chaos -- [options]
  --readers N         clients that each read all events of a topic (default: ${FULL.readers})
  --events N          events of each topic (default: ${FULL.events})
  --kills N           kill -9 of a gateway, subgraph, the worker or the database by chance (default: ${FULL.kills})
  --jobs N            jobs run by the worker meanwhile (default: ${FULL.jobs})
  --gateways N        processes; a client that comes back takes the next one (default: ${FULL.gateways})
  --transports LIST   of ${TRANSPORT_NAMES.join(', ')} (default: all)
  --resume LIST       how clients tell where they were: ${RESUMES.join(', ')} (default: all)
  --seed N            repeats a run's kills (default: by chance; it is printed)
  --help              this text`;

/** Reads the command line. Throws an error with the usage for what it does not know; null when help was asked for. */
export function readOptions(argv: readonly string[]): Omit<ChaosOptions, 'tell'> | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      readers: { type: 'string', default: FULL.readers },
      events: { type: 'string', default: FULL.events },
      kills: { type: 'string', default: FULL.kills },
      jobs: { type: 'string', default: FULL.jobs },
      gateways: { type: 'string', default: FULL.gateways },
      transports: { type: 'string', default: TRANSPORT_NAMES.join() },
      resume: { type: 'string', default: RESUMES.join() },
      seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return null;
  }
  return {
    readers: wholeNumber(values.readers, 'readers', 1, USAGE),
    events: wholeNumber(values.events, 'events', 2, USAGE),
    kills: wholeNumber(values.kills, 'kills', 0, USAGE),
    jobs: wholeNumber(values.jobs, 'jobs', 0, USAGE),
    gateways: wholeNumber(values.gateways, 'gateways', 1, USAGE),
    subgraphs: ALL_SUBGRAPHS,
    transports: namesAmong(values.transports, TRANSPORT_NAMES, USAGE),
    resumes: namesAmong(values.resume, RESUMES, USAGE),
    seed: wholeNumber(values.seed, 'seed', 0, USAGE),
  };
}
