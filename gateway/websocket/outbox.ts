import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { takenBytes } from '../../platform/http/write-progress';

/** Bytes waiting for the client beyond which nothing more is sent, and nothing more is read that would cause answers. */
const HIGH_WATER_BYTES = 32 * 1024;
/** Below it there is room again. */
const LOW_WATER_BYTES = HIGH_WATER_BYTES / 2;

/**
 * What is on its way to one client. Sending never waits; whoever sends much looks at `hasRoom` first. The common case, a
 * client that reads, costs no allocation of ours: only a send beyond the mark asks to be told when it is out.
 */
export class Outbox {
  private isFull = false;
  private isHeld = false;
  private waiting: (() => void)[] | undefined;
  private sent: (() => void) | undefined;

  constructor(
    private readonly socket: WebSocket,
    /** The connection under the socket. */
    private readonly stream: Duplex,
  ) {}

  /** Whether more may be sent. True once the socket is closed: what is sent then is dropped. */
  get hasRoom(): boolean {
    return !this.isFull || this.socket.readyState !== this.socket.OPEN;
  }

  /** See `Outlet`. */
  get progress(): number {
    return takenBytes(this.stream);
  }

  /** What waits for the client, in bytes. */
  get waitingBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(text: string): void {
    const { socket } = this;
    // After its end `ws` would count what is sent as waiting for ever.
    if (socket.readyState !== socket.OPEN) return;
    if (!this.isHeld) this.hold();
    if (!this.isFull && socket.bufferedAmount + text.length < HIGH_WATER_BYTES) return socket.send(text);
    this.isFull = true;
    // Each send while it is full asks, so the last one finds it empty at the latest.
    socket.send(text, (this.sent ??= () => this.look()));
  }

  /** Calls back once when there is room again; not at all when the socket closes first. */
  onRoom(listener: () => void): void {
    if (this.hasRoom) return queueMicrotask(listener);
    (this.waiting ??= []).push(listener);
  }

  /** Does not read on while there is no room: a client that only sends is not answered without bound. */
  holdReading(): void {
    if (!this.hasRoom) this.socket.pause();
  }

  /** What is sent in one go leaves in one write: writing to the system is most of what sending costs. */
  private hold(): void {
    this.isHeld = true;
    this.stream.cork();
    if (held.length === 0) process.nextTick(release);
    held.push(this);
  }

  release(): void {
    this.isHeld = false;
    this.stream.uncork();
  }

  private look(): void {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return void (this.waiting = undefined);
    if (socket.bufferedAmount > LOW_WATER_BYTES) return;
    this.isFull = false;
    if (socket.isPaused) socket.resume();
    // The first ones may fill it again: then the others wait on.
    while (!this.isFull && this.waiting?.length) this.waiting.shift()!();
  }
}

/** Those with something to write. */
let held: Outbox[] = [];

function release(): void {
  const all = held;
  held = [];
  for (const outbox of all) outbox.release();
}
