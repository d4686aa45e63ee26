import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { ArchiveWriter } from '../../../platform/account-data';

/**
 * A ZIP archive that is written while it is read, so that its size costs no memory. Read `output` while files are added;
 * the signal ends both sides.
 */
export class ZipArchive implements ArchiveWriter {
  private readonly zip = new ZipFile();
  private readonly abort = new AbortController();
  /** The bytes of the archive; fails when a file could not be added. */
  readonly output = this.zip.outputStream as Readable;

  constructor(signal: AbortSignal) {
    this.zip.on('error', (error: Error) => this.fail(error));
    // Nobody reads any more: what waits to be added would wait for ever.
    this.output.once('close', () => this.abort.abort(new Error('The archive was given up.')));
    signal.addEventListener('abort', () => this.fail(signal.reason as Error), {
      once: true,
      signal: this.abort.signal,
    });
  }

  async lines(path: string, rows: AsyncIterable<object>): Promise<number> {
    let count = 0;
    async function* text(): AsyncGenerator<Buffer, void, void> {
      for await (const row of rows) {
        count++;
        yield Buffer.from(`${JSON.stringify(row, bigintAsNumber)}\n`);
      }
    }
    await this.add(path, Readable.from(text()), { compress: true });
    return count;
  }

  async bytes(path: string, content: { sizeBytes: number; open: () => Promise<Readable> }): Promise<void> {
    // Recordings are compressed already.
    await this.add(path, await content.open(), { size: content.sizeBytes, compress: false });
  }

  /** No more files will come. */
  end(): void {
    this.zip.end();
  }

  /** Ends the output with this reason; later calls change nothing. */
  fail(error: Error): void {
    this.output.destroy(error);
  }

  private async add(path: string, source: Readable, options: { size?: number; compress: boolean }): Promise<void> {
    try {
      this.abort.signal.throwIfAborted();
      this.zip.addReadStream(source, path, options);
      await once(source, 'end', { signal: this.abort.signal });
    } finally {
      source.destroy();
    }
  }
}

/** Sizes are stored as 64 bits, and are below 2^53. */
function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
