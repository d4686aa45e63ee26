import type { GraphQLError } from 'graphql';
import type { Viewer } from '../../../platform/identity/viewer';
import type { Asker, Leaving, OperationPayload, Operations, RunningOperation } from '../../operations/operations';
import type { DisconnectReason, Frame, Outlet } from '../../operations/outlet';

/** What carries the operation to its client. */
export interface Carrier {
  readonly stream: Pick<Outlet, 'hasRoom' | 'onRoom' | 'progress'>;
  sendNext(operation: StreamedOperation, frame: Frame): void;
  completed(operation: StreamedOperation): void;
  end(reason: DisconnectReason, cause: StreamedOperation): void;
}

/** One operation of a stream: what it sends is written into the connection, under its id. */
export class StreamedOperation implements Outlet {
  private running: RunningOperation | undefined;
  private left: Leaving | undefined;
  private isOver = false;
  /** Of the last frame that was sent. */
  cursor: string | undefined;

  constructor(
    readonly id: string,
    /** A query or mutation is worth waiting for when the gateway stops. */
    readonly isSubscription: boolean,
    private asker: Asker,
    private readonly carrier: Carrier,
  ) {}

  /** A list of errors refuses the operation; then nothing was sent. Rejects when it cannot even be refused. */
  async start(operations: Operations, payload: OperationPayload): Promise<GraphQLError[] | undefined> {
    const { asker } = this;
    const started = await operations.start(payload, asker, this).catch((error: unknown) => {
      this.isOver = true;
      throw error;
    });
    if (Array.isArray(started)) {
      this.isOver = true;
      return started;
    }
    this.running = started;
    // Both may have happened before there was anything to tell it.
    if (this.asker !== asker) started.renew(this.asker);
    if (this.left) started.leave(this.left);
    return undefined;
  }

  /** Nothing is sent from now on. */
  leave(how: Leaving): void {
    if (this.isOver) return;
    this.isOver = true;
    this.left = how;
    this.running?.leave(how);
  }

  /** The viewer proved again who it is. */
  renew(viewer: Viewer, authorization: string): void {
    this.asker = { ...this.asker, identity: { ...this.asker.identity, viewer }, authorization };
    this.running?.renew(this.asker);
  }

  next(frame: Frame): void {
    if (this.isOver) return;
    this.cursor = frame.cursor ?? this.cursor;
    this.carrier.sendNext(this, frame);
  }

  get hasRoom(): boolean {
    return this.isOver || this.carrier.stream.hasRoom;
  }

  onRoom(listener: () => void): void {
    if (!this.isOver) this.carrier.stream.onRoom(listener);
  }

  get progress(): number {
    return this.carrier.stream.progress;
  }

  complete(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.carrier.completed(this);
  }

  disconnect(reason: DisconnectReason, cursor: string | undefined): void {
    if (this.isOver) return;
    this.cursor = cursor ?? this.cursor;
    this.carrier.end(reason, this);
  }
}
