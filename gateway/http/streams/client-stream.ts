import type { ServerResponse } from 'node:http';
import { takenBytes } from '../../../platform/http/write-progress';

/** Bytes waiting for a client beyond which whoever sends should stop. */
export const HIGH_WATER_BYTES = 32 * 1024;

/**
 * The bytes on their way to one client. Before there is a response they wait here, in order. There are many thousands of
 * these: no timer, no controller.
 */
export class ClientStream {
  private response: ServerResponse | undefined;
  private queued: (string | Buffer)[] = [];
  private queuedBytes = 0;
  private waiting: (() => void)[] = [];
  /** Whether everything that is to be sent is known. */
  isEnded = false;

  /** Sends from now on to this response, whose head is out: what waits first. `onGone` when its connection has ended. */
  attach(response: ServerResponse, onGone: () => void): void {
    this.response = response;
    response.on('drain', () => this.tellRoom());
    response.once('close', () => {
      this.waiting = [];
      onGone();
    });
    for (const text of this.queued.splice(0)) response.write(text);
    this.queuedBytes = 0;
    if (this.isEnded) response.end();
    else if (this.hasRoom) this.tellRoom();
  }

  get isAttached(): boolean {
    return this.response !== undefined;
  }

  /** Dropped after the end. */
  write(text: string | Buffer): void {
    if (this.isEnded || text.length === 0) return;
    if (!this.response) {
      this.queued.push(text);
      this.queuedBytes += Buffer.byteLength(text);
    } else if (!this.response.destroyed) this.response.write(text);
  }

  /** What waits for the client, in bytes. */
  get waitingBytes(): number {
    if (!this.response) return this.queuedBytes;
    return this.response.destroyed ? 0 : this.response.writableLength;
  }

  get hasRoom(): boolean {
    return this.waitingBytes < HIGH_WATER_BYTES;
  }

  /** See `Outlet`. */
  get progress(): number {
    return takenBytes(this.response?.socket);
  }

  /** Calls back once, when everything that waits is gone; not at all when the connection is. */
  onRoom(listener: () => void): void {
    if (!this.response?.destroyed) this.waiting.push(listener);
  }

  /** Ends the stream when these last bytes are out. */
  end(text: string): void {
    if (this.isEnded) return;
    this.write(text);
    this.isEnded = true;
    this.response?.end();
  }

  /** Drops the connection and what waits. */
  destroy(): void {
    this.isEnded = true;
    this.queued = [];
    this.queuedBytes = 0;
    this.response?.destroy();
  }

  private tellRoom(): void {
    for (const listener of this.waiting.splice(0)) listener();
  }
}
