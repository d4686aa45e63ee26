import type { Readable } from 'node:stream';
import type { PlatformTransaction } from './database/database';

/** How many things of each kind, by name. */
export type Counts = Readonly<Record<string, number>>;

/** Where a slice writes what it has of an account. Files get into the archive in the order in which they are awaited. */
export interface ArchiveWriter {
  /** Adds a file with one JSON object in each line; answers how many. */
  lines(path: string, rows: AsyncIterable<object>): Promise<number>;
  /** Adds bytes as they are. */
  bytes(path: string, content: { sizeBytes: number; open: () => Promise<Readable> }): Promise<void>;
}

/** The deletion of an account, as a slice sees it. */
export interface AccountDeletion {
  ownerId: string;
  /** The job that does it, which stays. */
  jobId: string;
  /**
   * One piece of the work, in a transaction that commits only while this attempt owns the job, together with its counts
   * in the slice's receipt: so nothing is counted twice or forgotten, whichever attempt finishes. Throws `JobLost`.
   */
  readonly step: (work: (tx: PlatformTransaction) => Promise<Counts>) => Promise<Counts>;
}

/**
 * What a slice has of an account, to be given out or deleted as a whole. The worker asks every slice, and writes a receipt
 * for each answer. Both may run again after they were cut off, or had finished, and then do what is left.
 */
export interface AccountData {
  /** Name of the subgraph. */
  readonly subgraph: string;
  /** Writes all of it into the archive, below a folder of the subgraph's name. */
  export(ownerId: string, archive: ArchiveWriter): Promise<Counts>;
  /** Deletes all of it: rows, bytes, and the topics of events; calls `step` at least once. */
  delete(deletion: AccountDeletion): Promise<void>;
}

/** Reads rows page by page, in the order of their ids: `read` gets the id to go on behind, or '' at the beginning. */
export async function* inPages<Row extends { id: string }>(
  read: (afterId: string) => Promise<Row[]>,
): AsyncGenerator<Row, void, void> {
  for (let last = ''; ;) {
    const page = await read(last);
    yield* page;
    if (page.length === 0) return;
    last = page.at(-1)!.id;
  }
}

/** Repeats a step until it finds nothing more to delete; `piece` deletes a bounded number. */
export async function deleteInPieces(
  { step }: Pick<AccountDeletion, 'step'>,
  piece: (tx: PlatformTransaction) => Promise<Counts>,
): Promise<void> {
  for (;;) {
    const counts = await step(piece);
    if (Object.values(counts).every((count) => count === 0)) return;
  }
}
