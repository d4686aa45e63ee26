import { createHash } from 'node:crypto';
import { constants, copyFile, link } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { runAlone } from '../database/alone';
import type { Database, PlatformTransaction } from '../database/database';
import type { StoredObject } from '../database/prisma-client/client';
import { isDatabaseUnavailable, UserProblemError } from '../errors';
import { newId } from '../ids';
import type { Logger } from '../logger';
import { DownloadFailed } from './download';
import { StorageFull, type ByteRange, type ObjectStore } from './object-store';
import type { RemoteObjects } from './remote-objects';
import { SNIFF_BYTES, sniffMimeType } from './sniff';

export type { StoredObject };

/** Keys asked for in one query of the sweep. */
const SWEEP_PAGE = 500;
/** Advisory lock of the one sweep under way ("SAUO" in ASCII). */
const SWEEP_LOCK = 0x5341554f;

export type StoreProblemCode =
  'INVALID_INPUT' | 'FILE_TOO_LARGE' | 'TYPE_NOT_ALLOWED' | 'CHECKSUM_MISMATCH' | 'INSUFFICIENT_STORAGE';

export interface IncomingObject {
  ownerId: string;
  /** As the client calls it; data, never a path. */
  name: string;
  source: AsyncIterable<Uint8Array>;
  maxBytes: number;
  /** Hex; refused with CHECKSUM_MISMATCH when the bytes that arrived are others. */
  expectedSha256?: string | undefined;
  /** Called with the sniffed type as soon as it is known; what it throws ends the upload before the rest arrives. */
  accept?: (mimeType: string) => void;
  /** Path of the argument that problems are reported at. */
  argumentPath: string[];
  /** The type of bytes that we have made ourselves; told from the bytes otherwise. */
  mimeType?: string | undefined;
  /** Id of the object or recording this one belongs to: it then is in no list of files, and found there by its name. */
  partOf?: string | undefined;
}

/** Bytes that are durable and have no row yet: either {@link register} them or {@link discard} them. */
export interface HeldObject {
  readonly id: string;
  readonly sizeBytes: number;
  readonly mimeType: string;
  /** Writes the row; the bytes count from the transaction's commit on. */
  register(tx: PlatformTransaction): Promise<StoredObject>;
  /** Removes the bytes; what cannot be removed now, the sweep removes later. */
  discard(): Promise<void>;
}

/**
 * Stored bytes and their registry rows. A row exists if and only if all its bytes are durable: bytes first, then the
 * row; when the row cannot be written the bytes are removed, and a sweep removes what a crash left in between.
 */
export class StoredObjects {
  constructor(
    private readonly database: Database,
    private readonly store: ObjectStore,
    private readonly logger: Logger,
    /** Where bytes are fetched from when the store's disk is not this machine's. */
    private readonly remote?: RemoteObjects,
  ) {}

  /**
   * Counts, hashes and sniffs the bytes on their way into the store, then registers them. `register` runs in the same
   * transaction as the row and may still refuse by throwing; then nothing is kept.
   */
  async put<Result>(
    incoming: IncomingObject,
    register: (tx: PlatformTransaction, object: StoredObject) => Promise<Result>,
  ): Promise<Result> {
    const held = await this.hold(incoming);
    try {
      return await this.database.prisma.$transaction(async (tx) => register(tx, await held.register(tx)));
    } catch (error) {
      // A connection lost at the commit leaves open whether the row exists: a row must not lose its bytes, so they stay.
      if (!isDatabaseUnavailable(error)) await held.discard();
      throw error;
    }
  }

  /**
   * Like {@link put}, but leaves the row to the caller, who may so make several objects visible in one transaction. Bytes
   * that are neither registered nor discarded, as after a crash, are removed by the sweep.
   */
  async hold(incoming: IncomingObject): Promise<HeldObject> {
    const id = newId('fil');
    const meter = new Meter(incoming);
    try {
      await this.store.write(id, meter.pass(incoming.source));
    } catch (error) {
      throw error instanceof StorageFull
        ? problem(
            'INSUFFICIENT_STORAGE',
            'The server has no room for this file at the moment. Nothing was kept.',
            incoming,
          )
        : error;
    }
    const discard = (): Promise<void> => this.discard(id);
    try {
      const measured = await meter.finish();
      const { ownerId, partOf = null } = incoming;
      const data = { id, ownerId, partOf, name: cleanName(incoming.name), ...measured };
      const register = (tx: PlatformTransaction): Promise<StoredObject> => tx.storedObject.create({ data });
      return { id, sizeBytes: Number(measured.sizeBytes), mimeType: measured.mimeType, register, discard };
    } catch (error) {
      await discard();
      throw error;
    }
  }

  /** The owner's object, or null: a foreign id answers like an unknown one. */
  async find(id: string, ownerId: string): Promise<StoredObject | null> {
    return this.database.prisma.storedObject.findFirst({ where: { id, ownerId } });
  }

  /** A path on local disk that holds the object's bytes. */
  localPath(id: string): Promise<string> {
    return this.store.localPath(id);
  }

  /**
   * Puts the object's bytes at `target`, a path inside a job's own directory that does not exist yet. They stay readable
   * there whatever happens to the object; nobody may write there. It is a link where that is possible, else a copy; where
   * the store is not on this machine, the bytes are fetched by a signed link and checked. Throws {@link DownloadFailed}
   * (GONE for an unknown id), the file system's error, or the signal's reason.
   */
  async placeAt(id: string, target: string, signal?: AbortSignal): Promise<void> {
    const row = await this.database.prisma.storedObject.findUnique({ where: { id } });
    if (!row) throw new DownloadFailed('GONE', 'The file has been deleted.');
    if (this.remote) return this.remote.fetch(row, target, signal);
    const file = await this.store.localPath(id);
    await link(file, target).catch(() => copyFile(file, target, constants.COPYFILE_EXCL));
  }

  /** The object's bytes, or a part of them. Rejects when the bytes are gone. */
  read(id: string, range?: ByteRange): Promise<Readable> {
    return this.store.read(id, range);
  }

  /**
   * Takes objects away: first their rows, so that nobody is led to bytes that are gone. Answers how many there were; bytes
   * that cannot be removed now, the sweep removes later.
   */
  async remove(ids: readonly string[]): Promise<number> {
    const { count } = await this.database.prisma.storedObject.deleteMany({ where: { id: { in: [...ids] } } });
    for (const id of ids) await this.discard(id);
    return count;
  }

  /**
   * Removes bytes only, for rows that are deleted right afterwards: for an owner who wants nothing left, because what a
   * crash leaves then is a row, by which the next try finds the rest. Throws what the store does.
   */
  async removeBytes(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.store.delete(id);
  }

  /**
   * Removes bytes that no row speaks of and that are older than `minAgeMs` (an upload under way is younger). Answers how
   * many; 0 at once while another process sweeps.
   */
  async sweep(minAgeMs: number): Promise<number> {
    return (await runAlone(this.database.url, SWEEP_LOCK, () => this.removeOrphans(minAgeMs))) ?? 0;
  }

  private async removeOrphans(minAgeMs: number): Promise<number> {
    let removed = 0;
    let page: string[] = [];
    for await (const { key, modifiedAt } of this.store.list()) {
      if (Date.now() - modifiedAt.getTime() < minAgeMs) continue;
      page.push(key);
      if (page.length < SWEEP_PAGE) continue;
      removed += await this.removeUnregistered(page);
      page = [];
    }
    return removed + (await this.removeUnregistered(page));
  }

  private async removeUnregistered(keys: string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const rows = await this.database.prisma.storedObject.findMany({
      where: { id: { in: keys } },
      select: { id: true },
    });
    const registered = new Set(rows.map((row) => row.id));
    const orphans = keys.filter((key) => !registered.has(key));
    for (const key of orphans) await this.store.delete(key);
    return orphans.length;
  }

  private async discard(id: string): Promise<void> {
    try {
      await this.store.delete(id);
    } catch (error) {
      this.logger.warn({ error, key: id }, 'bytes without a row stay until the sweep');
    }
  }
}

/** Looks at bytes as they pass: size, SHA-256, type. Ends the stream with a typed problem when a limit is broken. */
class Meter {
  private readonly hash = createHash('sha256');
  private sizeBytes = 0;
  private head: Uint8Array = new Uint8Array(0);
  private mimeType: string | undefined;

  constructor(private readonly incoming: IncomingObject) {}

  async *pass(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of source) {
      this.sizeBytes += chunk.length;
      if (this.sizeBytes > this.incoming.maxBytes) {
        throw problem(
          'FILE_TOO_LARGE',
          `The file is larger than the limit of ${this.incoming.maxBytes} bytes.`,
          this.incoming,
        );
      }
      this.hash.update(chunk);
      await this.sniff(chunk);
      yield chunk;
    }
    if (this.sizeBytes === 0) throw problem('INVALID_INPUT', 'The file is empty: it has 0 bytes.', this.incoming);
    await this.decideType();
  }

  async finish(): Promise<{ sizeBytes: bigint; sha256: string; mimeType: string }> {
    const sha256 = this.hash.digest('hex');
    const expected = this.incoming.expectedSha256?.toLowerCase();
    if (expected !== undefined && expected !== sha256) {
      throw problem(
        'CHECKSUM_MISMATCH',
        `The bytes that arrived have the SHA-256 ${sha256}, not ${expected}. Send the file again.`,
        this.incoming,
      );
    }
    return { sizeBytes: BigInt(this.sizeBytes), sha256, mimeType: await this.decideType() };
  }

  private async sniff(chunk: Uint8Array): Promise<void> {
    if (this.mimeType !== undefined) return;
    this.head = Buffer.concat([this.head, chunk.subarray(0, SNIFF_BYTES - this.head.length)]);
    if (this.head.length >= SNIFF_BYTES) await this.decideType();
  }

  private async decideType(): Promise<string> {
    if (this.mimeType === undefined) {
      this.mimeType = this.incoming.mimeType ?? (await sniffMimeType(this.head));
      this.incoming.accept?.(this.mimeType);
    }
    return this.mimeType;
  }
}

function problem(
  code: StoreProblemCode,
  message: string,
  incoming: IncomingObject,
): UserProblemError<StoreProblemCode> {
  return new UserProblemError({ code, message, path: incoming.argumentPath });
}

/** A name fit for storing and showing: NFC, no control or direction-changing characters, at most 255 characters. */
function cleanName(name: string): string {
  const cleaned = name
    .normalize('NFC')
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '')
    .trim();
  return [...cleaned].slice(0, 255).join('') || 'file';
}
