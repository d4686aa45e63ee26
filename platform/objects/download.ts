import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'undici';
import { pause } from '../pause';

/** Why a download was given up. */
export type DownloadProblem =
  /** The server knows no such object any more. */
  | 'GONE'
  /** The server does not accept the link: other secrets, or a clock that is wrong. */
  | 'REFUSED'
  /** The connection broke again and again, or the server failed. */
  | 'BROKEN'
  /** What arrived has another length or SHA-256. */
  | 'WRONG_BYTES';

/** The bytes could not be had; only what is GONE cannot be had later either. */
export class DownloadFailed extends Error {
  readonly code = 'DOWNLOAD_FAILED';
  readonly retryable: boolean;
  constructor(
    readonly problem: DownloadProblem,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'DownloadFailed';
    this.retryable = problem !== 'GONE';
  }
}

export interface DownloadOptions {
  /** A link that works now; asked for before each request, because links expire. */
  url: () => string;
  /** A path that does not exist yet; removed again when the download fails. */
  target: string;
  sizeBytes: number;
  /** Lower-case hex; also the server's entity tag. */
  sha256: string;
  /** Ends the download at once; it then throws the signal's reason. */
  signal: AbortSignal;
  /** How long nothing may arrive before a connection counts as broken; milliseconds, default 30 000. */
  idleMs?: number;
  /** How long the first new try waits, each later one twice as long up to 5 s; milliseconds, default 250. */
  retryMs?: number;
}

const IDLE_MS = 30_000;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;
/** So many connections in a row may bring nothing: about 10 s with the pauses above. */
const FRUITLESS_TRIES = 6;

/**
 * Brings an object to the local disk over HTTP, in memory that does not depend on its size. A connection that breaks is
 * followed by another for the rest (Range with If-Range, RFC 9110 §13.1.5); length and SHA-256 are checked at the end.
 * Throws {@link DownloadFailed}, the file system's error, or the signal's reason.
 */
export async function download(options: DownloadOptions): Promise<void> {
  options.signal.throwIfAborted();
  try {
    await using file = await open(options.target, 'wx', 0o600);
    await receiveAll(new Arrival(file, options), options);
  } catch (error) {
    await rm(options.target, { force: true });
    throw options.signal.aborted ? options.signal.reason : error;
  }
}

async function receiveAll(arrival: Arrival, { signal, retryMs = RETRY_MS }: DownloadOptions): Promise<void> {
  for (let fruitless = 0; ;) {
    const before = arrival.sizeBytes;
    try {
      await arrival.receive();
      return arrival.check();
    } catch (error) {
      if (signal.aborted || error instanceof DownloadFailed) throw error;
      fruitless = arrival.sizeBytes > before ? 0 : fruitless + 1;
      if (fruitless === FRUITLESS_TRIES) {
        const message = 'The file could not be fetched from where it is stored: the connection broke again and again.';
        throw new DownloadFailed('BROKEN', message, { cause: error });
      }
      await pause(Math.min(retryMs * 2 ** fruitless, LONGEST_RETRY_MS), signal);
      signal.throwIfAborted();
    }
  }
}

/** The bytes that are here so far. */
class Arrival {
  sizeBytes = 0;
  private hash = createHash('sha256');

  constructor(
    private readonly file: FileHandle,
    private readonly wanted: DownloadOptions,
  ) {}

  /** One request for what is missing. Throws whatever ended it before the end. */
  async receive(): Promise<void> {
    const { url, sha256, signal, idleMs = IDLE_MS } = this.wanted;
    const dispatcher = new Agent({ connect: { timeout: idleMs }, headersTimeout: idleMs, bodyTimeout: idleMs });
    try {
      const rest = this.sizeBytes > 0 ? { range: `bytes=${this.sizeBytes}-`, 'if-range': `"${sha256}"` } : {};
      const response = await request(url(), { headers: rest, signal, dispatcher });
      await this.begin(response.statusCode, response.headers);
      for await (const bytes of response.body as AsyncIterable<Buffer>) await this.add(bytes);
    } finally {
      await dispatcher.destroy();
    }
  }

  check(): void {
    if (this.sizeBytes < this.wanted.sizeBytes) throw new Error('The answer ended before the file did.');
    if (this.hash.digest('hex') !== this.wanted.sha256) throw wrongBytes();
  }

  /** Looks at the head of an answer: whether it goes on where the last one broke off, or begins again. */
  private async begin(status: number, headers: IncomingHttpHeaders): Promise<void> {
    if (status === 404 || status === 410) throw new DownloadFailed('GONE', 'The file is not stored any more.');
    if (status === 416) throw wrongBytes();
    if (status >= 400 && status < 500 && status !== 429) {
      throw new DownloadFailed('REFUSED', `Where the file is stored, our link is refused (HTTP ${status}).`);
    }
    if (status === 206 && headers['content-range']?.startsWith(`bytes ${this.sizeBytes}-`)) return;
    if (status !== 200) throw new Error(`The answer to a download was HTTP ${status}.`);
    await this.file.truncate(0);
    this.sizeBytes = 0;
    this.hash = createHash('sha256');
  }

  private async add(bytes: Buffer): Promise<void> {
    if (this.sizeBytes + bytes.length > this.wanted.sizeBytes) throw wrongBytes();
    const { bytesWritten } = await this.file.write(bytes, 0, bytes.length, this.sizeBytes);
    if (bytesWritten < bytes.length) throw new Error('The disk took only a part of what was written.');
    this.hash.update(bytes);
    this.sizeBytes += bytes.length;
  }
}

function wrongBytes(): DownloadFailed {
  return new DownloadFailed('WRONG_BYTES', 'The file arrived with other bytes than those that were stored.');
}
