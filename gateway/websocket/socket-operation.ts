import type { DisconnectReason, Frame, Outlet } from '../operations/outlet';
import type { Asker, Leaving, RunningOperation } from '../operations/operations';
import type { ClientSocket } from './client-socket';

/** One operation of a client: where its payloads go. Thousands are open at once, so it is small. */
export class SocketOperation implements Outlet {
  /** With it the client goes on after the last frame it was sent. */
  cursor: string | undefined;
  private running: RunningOperation | undefined;
  private renewed: Asker | undefined;
  private left: Leaving | undefined;

  constructor(
    private readonly client: ClientSocket,
    readonly id: string,
    readonly requestId: string,
  ) {}

  get hasRoom(): boolean {
    return this.client.outbox.hasRoom;
  }

  get progress(): number {
    return this.client.outbox.progress;
  }

  onRoom(listener: () => void): void {
    this.client.outbox.onRoom(listener);
  }

  next({ payload, cursor }: Frame): void {
    if (this.left) return;
    if (cursor !== undefined) this.cursor = cursor;
    this.client.outbox.send(`{"id":${JSON.stringify(this.id)},"type":"next","payload":${payload}}`);
  }

  complete(): void {
    if (this.left) return;
    this.left = 'done';
    this.client.completed(this);
  }

  disconnect(reason: DisconnectReason, cursor: string | undefined): void {
    if (this.left) return;
    if (cursor !== undefined) this.cursor = cursor;
    this.client.disconnect(reason, cursor);
  }

  /** It has been planned and runs, unless the client left in the meantime. */
  started(running: RunningOperation): void {
    if (this.left) return running.leave(this.left);
    this.running = running;
    // The token was renewed while it was planned.
    if (this.renewed) running.renew(this.renewed);
  }

  /** Known as soon as it has been planned. */
  get isSubscription(): boolean {
    return this.running?.isSubscription ?? false;
  }

  get isOver(): boolean {
    return this.left !== undefined;
  }

  /** Nothing is sent from now on; cancels it, also while it is being planned. */
  leave(how: Leaving): void {
    if (this.left) return;
    this.left = how;
    this.running?.leave(how);
    this.running = undefined;
  }

  renew(asker: Asker): void {
    if (this.running) this.running.renew(asker);
    else this.renewed = asker;
  }
}
