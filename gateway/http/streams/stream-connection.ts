import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import type { VerifiedToken } from '../../../platform/identity/access-token';
import type { ClientFacts } from '../../../platform/identity/viewer';
import type { Connection, EndReason, OpenConnection } from '../../connections/connections';
import type { Asker, Leaving, OperationPayload, Operations } from '../../operations/operations';
import type { Frame } from '../../operations/outlet';
import { ClientStream } from './client-stream';
import { StreamedOperation } from './streamed-operation';
import type { Farewell, Wire } from './wire';

/** Bytes that may wait for a client whose stream is only reserved. */
const MAX_RESERVED_BYTES = 1024 ** 2;

export interface StreamConnectionOptions {
  wire: Wire;
  token: VerifiedToken | null;
  authorization: string | undefined;
  /** Whether the stream is there for one operation, and over with it. */
  isDistinct: boolean;
  /** Called once, when nothing is left of it. */
  onGone: () => void;
}

export interface StartOptions {
  /** Not in use (`has`). */
  id: string;
  isSubscription: boolean;
  requestId: string;
  headers: IncomingHttpHeaders;
  client: ClientFacts | undefined;
}

/** A response that carries one operation, or those of a client in single connection mode, from begin to end. */
export class StreamConnection implements Connection {
  readonly stream = new ClientStream();
  readonly token: VerifiedToken | null;
  readonly hasPlace = false;
  private readonly operations = new Map<string, StreamedOperation>();
  private registered: OpenConnection | undefined;
  private isGoingAway = false;
  private isGone = false;
  private inForce: { token: VerifiedToken | null; authorization: string | undefined };
  /** Since the stream was reserved, or ended. */
  private beats = 0;

  constructor(private readonly options: StreamConnectionOptions) {
    this.token = options.token;
    this.inForce = { token: options.token, authorization: options.authorization };
  }

  /** Says under which id it is among the open connections. */
  register(registered: OpenConnection): void {
    this.registered = registered;
  }

  get id(): string | undefined {
    return this.registered?.id;
  }

  get size(): number {
    return this.operations.size;
  }

  /** Whether operations can be started. */
  get isOpen(): boolean {
    return !this.isGone && !this.isGoingAway && !this.stream.isEnded;
  }

  /** Whether it speaks for this viewer: another of its sessions will do. */
  belongsTo(token: VerifiedToken | null): boolean {
    return this.token?.viewer.userId === token?.viewer.userId;
  }

  has(id: string): boolean {
    return this.operations.has(id);
  }

  /** Starts an operation on behalf of whoever the connection speaks for. Errors refuse it; then nothing was sent. */
  async start(
    operations: Operations,
    payload: OperationPayload,
    { id, isSubscription, requestId, headers, client }: StartOptions,
  ): Promise<readonly GraphQLError[] | undefined> {
    const { token, authorization } = this.inForce;
    const viewer = token?.viewer ?? null;
    const identity = { viewer, requestId, ...(client ? { client } : {}) };
    const asker: Asker = { identity, authorization, headers };
    const operation = new StreamedOperation(id, isSubscription, asker, this);
    this.operations.set(id, operation);
    let isStarted = false;
    try {
      const errors = await operation.start(operations, payload);
      isStarted = !errors;
      return errors;
    } finally {
      if (!isStarted) this.forget(operation);
    }
  }

  /** The client wants no more of this operation. */
  stop(id: string): void {
    const operation = this.operations.get(id);
    operation?.leave('done');
    if (operation) this.forget(operation);
  }

  /** Sends from now on to this response. */
  open(response: ServerResponse): void {
    const { wire } = this.options;
    if (response.destroyed) return this.abandon();
    response.writeHead(200, {
      'content-type': wire.contentType,
      'cache-control': 'private, no-store, no-transform',
      'x-accel-buffering': 'no',
      ...(this.id === undefined ? {} : { 'x-connection-id': this.id }),
    });
    response.write(wire.begin());
    this.stream.attach(response, () => this.abandon());
  }

  /** Answers with errors and nothing else. */
  refuse(response: ServerResponse, errors: readonly object[]): void {
    this.open(response);
    this.finish(this.options.wire.refuse('', errors) + this.options.wire.end(undefined));
  }

  /** Regularly: a sign of life, or the end of what was to have ended by now. */
  beat(): void {
    if (!this.isReservation && !this.stream.isEnded) {
      // To one that does not read what it has got it says nothing.
      if (this.stream.waitingBytes === 0) this.stream.write(this.options.wire.heartbeat);
    } else if (++this.beats > 1) this.drop(); // has had one whole interval
  }

  sendNext(operation: StreamedOperation, frame: Frame): void {
    this.stream.write(this.options.wire.next(operation.id, frame));
    if (this.isReservation && this.stream.waitingBytes > MAX_RESERVED_BYTES) this.drop();
  }

  completed(operation: StreamedOperation): void {
    this.stream.write(this.options.wire.complete(operation.id));
    this.forget(operation);
    if (this.options.isDistinct) this.finish(this.options.wire.end(undefined));
  }

  onRenewed(token: VerifiedToken, authorization: string): void {
    this.inForce = { token, authorization };
    for (const operation of this.operations.values()) operation.renew(token.viewer, authorization);
  }

  onEnd(reason: EndReason): void {
    this.end(reason);
  }

  /**
   * Tells the operations why and ends the stream: all of them, or the one that is the cause. When the gateway stops,
   * queries and mutations are waited for, as over plain HTTP; whoever stops the gateway bounds that.
   */
  end(reason: Farewell, cause?: StreamedOperation): void {
    if (this.isGone || this.stream.isEnded) return;
    if (reason === 'GOING_AWAY') {
      this.isGoingAway = true;
      if (this.isAnswering()) return;
    }
    const { wire } = this.options;
    const told = cause ? [cause] : [...this.operations.values()];
    const words = told.map(({ id, cursor }) => wire.farewell(id, reason, cursor));
    this.finish(words.join('') + wire.end(reason));
  }

  /** Its client is gone, or never came. */
  abandon(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.leaveAll('lost');
    this.registered?.close();
    this.options.onGone();
  }

  private isAnswering(): boolean {
    return [...this.operations.values()].some(({ isSubscription }) => !isSubscription);
  }

  private forget(operation: StreamedOperation): void {
    if (this.operations.get(operation.id) === operation) this.operations.delete(operation.id);
    if (this.isGoingAway && !this.options.isDistinct) this.end('GOING_AWAY');
  }

  /** Ends the stream after these bytes; a client that does not take them is dropped by the second beat. */
  private finish(text: string): void {
    this.beats = 0;
    this.leaveAll('lost');
    this.registered?.close();
    this.stream.end(text);
    if (this.isReservation) this.abandon();
  }

  /** Whether nobody has come for the stream yet. A distinct one gets its response when its operation has started. */
  private get isReservation(): boolean {
    return !this.options.isDistinct && !this.stream.isAttached;
  }

  private drop(): void {
    this.stream.destroy();
    this.abandon();
  }

  private leaveAll(how: Leaving): void {
    for (const operation of this.operations.values()) operation.leave(how);
    this.operations.clear();
  }
}
