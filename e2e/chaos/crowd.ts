import { createRandom, hash } from '../../gateway/differential/random';
import { waitFor } from '../../platform/testing/wait';
import { Account } from './account';
import { jobStream, transcriptStream } from './followed';
import type { JobWriter } from './job-writer';
import type { ChaosOptions } from './options';
import { Reader } from './reader';
import type { Stack } from './stack';
import { addTranscripts, type Growing } from './transcript-writer';
import { TRANSPORTS } from './transports/transports';

/** Far below the limit of connections for one user (20), because those that broke may still be counted. */
const READERS_PER_ACCOUNT = 8;
/** Every so many-th reader selects fields of another subgraph, too. */
const CROSSING_EVERY = 4;
const CATCH_UP_LIMIT_MS = 120_000;

/** Somebody, with a transcript that grows and jobs of their own. */
export interface Owner extends Growing {
  account: Account;
}

/** Everybody who reads. */
export class Crowd {
  constructor(
    readonly owners: readonly Owner[],
    readonly ofTranscripts: readonly Reader[],
    readonly ofJobs: readonly Reader[],
  ) {}

  get all(): readonly Reader[] {
    return [...this.ofTranscripts, ...this.ofJobs];
  }

  /** Resolves when every reader of a transcript has `count` events. */
  async caughtUp(count: number): Promise<void> {
    const isBehind = (reader: Reader): boolean => reader.cursors.length < count;
    const look = (): boolean => !this.ofTranscripts.some(isBehind);
    await waitFor(`everybody to have ${count} events`, look, CATCH_UP_LIMIT_MS).catch((error: Error) => {
      throw new Error(`${error.message}; ${this.ofTranscripts.filter(isBehind).length} readers have not`);
    });
  }
}

/**
 * Signs up accounts, gives each a transcript and (with `jobs`) a first job, and makes the readers. Nobody reads yet.
 * `endpointsOf` says to which gateways a reader connects, one after the other; by default they are spread over all.
 */
export async function gatherCrowd(
  stack: Stack,
  jobs: JobWriter | null,
  options: ChaosOptions,
  endpointsOf: (index: number) => readonly string[] = (index) => rotated(stack.endpoints, index),
): Promise<Crowd> {
  const owners = await addOwners(stack, Math.ceil(options.readers / READERS_PER_ACCOUNT));
  const common = (index: number) => ({
    transport: TRANSPORTS[options.transports[index % options.transports.length]!],
    endpoints: endpointsOf(index),
    resume: options.resumes[Math.floor(index / options.transports.length) % options.resumes.length]!,
    random: createRandom(hash(`${options.seed} reader ${index}`)),
  });
  const ofTranscripts = Array.from({ length: options.readers }, (_, index) => {
    const { account, transcriptId } = owners[index % owners.length]!;
    // Counted by rounds, so that no account, and no transport, has all the crossing ones.
    const crossing =
      Math.floor(index / owners.length) % CROSSING_EVERY === 0 && options.subgraphs.includes('translation');
    return new Reader({ ...common(index), account, followed: transcriptStream(transcriptId), crossing });
  });
  const ofJobs = !jobs
    ? []
    : await Promise.all(
        owners.map(async ({ account, mediaId }, index) => {
          await jobs.add(account.id, mediaId);
          const followed = jobStream(account.id, await presentCursor(account));
          return new Reader({ ...common(index), account, followed, crossing: true });
        }),
      );
  return new Crowd(owners, ofTranscripts, ofJobs);
}

async function addOwners({ endpoints, store }: Stack, count: number): Promise<Owner[]> {
  const accounts: Account[] = [];
  while (accounts.length < count) accounts.push(await Account.signUp(endpoints[0]!));
  const transcripts = await addTranscripts(
    store,
    accounts.map(({ id }) => id),
  );
  return accounts.map((account, index) => ({ account, ...transcripts[index]! }));
}

/** Where the account's jobs stand now: everything behind is an event. */
async function presentCursor(account: Account): Promise<string> {
  const { jobs } = await account.ask<{ jobs: { nodes: { cursor: string }[] } }>(
    '{ jobs(first: 1) { nodes { cursor } } }',
  );
  return jobs.nodes[0]!.cursor;
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
