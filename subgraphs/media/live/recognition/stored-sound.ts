import type { MediaDatabase } from '../../records';
import type { LiveSessionRow } from '../live-session';

/**
 * Read at once: this much, and the last row that begins in it; a row holds what one commit of the ingest brought. A page
 * keeps the process busy for about 3 ms (measured, 2 cores), so that the captions of others do not wait for it.
 */
const PAGE_BYTES = 256 * 1024;
/** Rows of the key looked at for one page: without it the server would go through all that are left. */
const PAGE_ROWS = 256;

interface SoundRow {
  row: number;
  fromByte: bigint;
  bytes: Uint8Array;
}

/**
 * The sound of a session to which nothing is added any more, as it was sent and in order, one page in memory at a time.
 * Throws when it is not all there, or the signal's reason.
 */
export async function* storedSound(
  database: MediaDatabase,
  { id, storedRows, storedBytes }: Pick<LiveSessionRow, 'id' | 'storedRows' | 'storedBytes'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  let heldBytes = 0n;
  for (let last = 0; last < storedRows;) {
    signal.throwIfAborted();
    const page = await readPage(database, id, { last, heldBytes });
    if (page.length === 0) break;
    for (const { row, fromByte, bytes } of page) {
      if (row !== last + 1 || fromByte !== heldBytes) break;
      last = row;
      heldBytes += BigInt(bytes.length);
      if (bytes.length > 0) yield bytes; // a flush has none
    }
    if (last < page.at(-1)!.row) break;
  }
  if (heldBytes === storedBytes) return;
  throw new Error(`The sound of ${id} has a hole behind ${heldBytes} of ${storedBytes} bytes.`);
}

function readPage(
  database: MediaDatabase,
  sessionId: string,
  { last, heldBytes }: { last: number; heldBytes: bigint },
): Promise<SoundRow[]> {
  return database.liveAudio.findMany({
    where: {
      sessionId,
      row: { gt: last, lte: last + PAGE_ROWS },
      fromByte: { lt: heldBytes + BigInt(PAGE_BYTES) },
    },
    orderBy: { row: 'asc' },
    select: { row: true, fromByte: true, bytes: true },
  });
}
