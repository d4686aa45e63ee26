import type { Readable } from 'node:stream';

/** Inclusive byte range. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Bytes under keys. Keys are ours (`fil_…`), never a name from a client. A key is written once and never changed.
 */
export interface ObjectStore {
  /**
   * Stores everything `source` yields and makes it durable before answering; on any failure, also of the source,
   * nothing is left under the key. Throws {@link StorageFull} when there is no room.
   */
  write(key: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** The bytes, or a part of them. Rejects when there is no such object. */
  read(key: string, range?: ByteRange): Promise<Readable>;
  /** A readable path on the local disk, for programs like ffmpeg; the caller must not change or delete the file. */
  localPath(key: string): Promise<string>;
  /** Removing what is not there is no error. */
  delete(key: string): Promise<void>;
  /** Keys and ages of everything held, finished or not, for the sweep. */
  list(): AsyncIterable<{ key: string; modifiedAt: Date }>;
}

export class StorageFull extends Error {
  constructor(cause: unknown) {
    super('There is no room left to store the bytes.', { cause });
    this.name = 'StorageFull';
  }
}
