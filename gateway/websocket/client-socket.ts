import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import { MessageType, type Message, type PingMessage, type SubscribeMessage } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Logger } from '../../platform/logger';
import type { Connection, Connections, EndReason, OpenConnection } from '../connections/connections';
import { formatErrors } from '../http/format-error';
import type { DisconnectReason } from '../operations/outlet';
import { MAX_ID_LENGTH } from '../operations/operation-id';
import type { Asker, Leaving, Operations, RunningOperation } from '../operations/operations';
import type { Authenticate, GatewayLimits } from '../options';
import type { SocketIdentity } from '../viewer/identification';
import { authorizationOf } from './authorization';
import { CloseCode, closeReason } from './close-code';
import { farewellText, tooSlowReason } from './farewell';
import { readMessage } from './message';
import { Outbox } from './outbox';
import { asksRenewal, renew } from './renewal';
import { SocketOperation } from './socket-operation';

/** Pings and pongs that a client may send between two of ours (12 s): twenty a second, which no client needs. */
const MAX_PINGS = 240;

/** What all sockets share. */
export interface SocketServices {
  operations: Operations;
  connections: Connections;
  authenticate: Authenticate | undefined;
  limits: Pick<GatewayLimits, 'maxOperationsPerSocket' | 'connectionInitMs'>;
  logger: Logger;
}

/** Time for the answers that are under way when a session ends. */
const LAST_ANSWERS_MS = 1_000;

const NO_ANSWER = 'No answer to pings; resume after your last cursor';

/** Reasons of close frames with the code 4403. */
const FAREWELLS = {
  TOKEN_EXPIRED: 'Access token expired',
  SESSION_ENDED: 'Session ended',
  ACCESS_CHANGED: 'Access changed',
} as const;

type Phase = 'opened' | 'initialising' | 'acknowledged' | 'closed';

/**
 * The server's side of graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) for one
 * client: what it says is judged here, what it asks for is done by `Operations`. An idle one has neither timer nor
 * closure.
 */
export class ClientSocket implements Connection {
  readonly outbox: Outbox;
  token: VerifiedToken | null = null;
  readonly hasPlace = true;
  private phase: Phase = 'opened';
  private authorization: string | undefined;
  private connectionParams: Record<string, unknown> | undefined;
  private registered: OpenConnection | undefined;
  private readonly operations = new Map<string, SocketOperation>();
  private initTimer: NodeJS.Timeout | undefined;
  private isAlive = true;
  private isLate = false;
  private isGoingAway = false;
  /** Closes it; there when its session has ended and it waits for nothing but last answers. */
  private leave: (() => void) | undefined;
  /** At the check before: what its connection had taken, and whether more waited for it. */
  private taken = 0;
  private hadWaiting = false;
  private pings = 0;

  constructor(
    private readonly socket: WebSocket,
    stream: Duplex,
    /** Of the upgrade: what may be forwarded to subgraphs. */
    private readonly headers: IncomingHttpHeaders,
    private readonly opener: SocketIdentity,
    private readonly services: SocketServices,
  ) {
    this.outbox = new Outbox(socket, stream);
    this.initTimer = setTimeout(onInitTimeout, services.limits.connectionInitMs, this);
  }

  /** A text message has arrived. */
  receive(data: Buffer): void {
    if (this.phase === 'closed') return;
    this.isAlive = true;
    let message: Message;
    try {
      message = readMessage(data);
    } catch (error) {
      return this.close(CloseCode.BadRequest, `Invalid message: ${(error as Error).message}`);
    }
    try {
      this.take(message);
      this.outbox.holdReading();
    } catch (error) {
      // Whatever it is about: one client's message must not reach further than its socket.
      this.services.logger.error({ error }, 'a message on a WebSocket could not be taken');
      this.close(CloseCode.InternalServerError, 'Internal server error');
    }
  }

  /** A ping or pong frame has arrived; `ws` answers pings itself. */
  receiveControl(): void {
    this.isAlive = true;
    this.countPing();
  }

  /** Pings it; ends it when nothing has been heard since the ping before. */
  checkAlive(): void {
    if (this.phase === 'closed') return;
    // Slow as it may be, one that takes what waits for it is there.
    const isAlive = this.hasTaken() || this.isAlive;
    // One that only does not read finds this when it reads again; the connection is cut 5 s later.
    if (!isAlive && (this.outbox.hasRoom || this.isLate)) return this.close(CloseCode.ConsumerTooSlow, NO_ANSWER);
    // Its answer may be late because it has so much to read before the ping; who sends it so much decides first.
    this.isLate = !isAlive;
    this.isAlive = false;
    this.pings = 0;
    if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
  }

  /** The connection is gone. */
  closed(code: number): void {
    // 1000: the client has what it wanted. Whoever leaves in any other way may come back for what it missed.
    this.end(code === 1000 ? 'done' : 'lost');
  }

  onRenewed(token: VerifiedToken, authorization: string): void {
    this.token = token;
    this.authorization = authorization;
    for (const operation of this.operations.values()) operation.renew(this.asker(operation.requestId));
  }

  onExpiring(endsAt: Date): void {
    this.say(MessageType.Ping, { code: 'TOKEN_EXPIRING', expiresAt: endsAt.toISOString() });
  }

  onEnd(reason: EndReason): void {
    if (reason === 'GOING_AWAY') return this.goAway();
    this.outbox.send(farewellText(reason, this.operations.values()));
    const leave = (): void => this.close(CloseCode.Forbidden, FAREWELLS[reason]);
    // What signs out may have been asked here, and is still to be answered.
    for (const operation of this.operations.values()) if (operation.isSubscription) this.forget(operation, 'lost');
    if (this.operations.size === 0 || reason === 'TOKEN_EXPIRED') return leave();
    this.leave = leave;
    setTimeout(leave, LAST_ANSWERS_MS).unref();
  }

  /**
   * Tells the client where its subscriptions go on, and closes when queries and mutations under way are answered, as over
   * HTTP; whoever stops the gateway bounds that. New operations are refused.
   */
  goAway(): void {
    if (this.phase === 'closed' || this.isGoingAway) return;
    this.isGoingAway = true;
    if (this.phase === 'acknowledged') this.outbox.send(farewellText('GOING_AWAY', this.operations.values()));
    for (const operation of this.operations.values()) if (operation.isSubscription) this.forget(operation, 'lost');
    this.closeIfDone();
  }

  disconnect(reason: DisconnectReason, cursor: string | undefined): void {
    if (reason === 'GOING_AWAY') return this.goAway();
    this.close(CloseCode.ConsumerTooSlow, tooSlowReason(cursor));
  }

  completed({ id }: SocketOperation): void {
    this.outbox.send(`{"id":${JSON.stringify(id)},"type":"complete"}`);
    this.operations.delete(id);
    this.closeIfDone();
  }

  /** Nothing is sent or taken from now on; `ws` cuts the connection when the client does not close it, too. */
  close(code: number, reason: string): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.socket.close(code, closeReason(reason));
    // The client's own close frame is to be read.
    this.socket.resume();
    this.end('lost');
  }

  /** Cuts the connection. */
  terminate(): void {
    this.socket.terminate();
  }

  private end(how: Leaving): void {
    this.phase = 'closed';
    clearTimeout(this.initTimer);
    this.registered?.close();
    for (const operation of this.operations.values()) operation.leave(how);
    this.operations.clear();
  }

  private take(message: Message): void {
    switch (message.type) {
      case MessageType.ConnectionInit:
        return this.initialise(message.payload);
      case MessageType.Ping:
        if (this.countPing()) this.answerPing(message);
        return;
      case MessageType.Pong:
        return void this.countPing();
      case MessageType.Subscribe:
        return this.subscribe(message);
      case MessageType.Complete:
        return this.forget(this.operations.get(message.id), 'done');
      default:
        return this.close(CloseCode.BadRequest, `Unexpected message of type ${message.type} received`);
    }
  }

  private initialise(params: Record<string, unknown> | undefined): void {
    if (this.phase !== 'opened')
      return this.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
    this.phase = 'initialising';
    clearTimeout(this.initTimer);
    this.initTimer = undefined;
    this.connectionParams = params;
    this.authenticate(params).then(
      (token) => this.acknowledge(token),
      (error: unknown) => this.refuse(error),
    );
  }

  private async authenticate(params: Record<string, unknown> | undefined): Promise<VerifiedToken | null> {
    this.authorization = authorizationOf(params) ?? this.opener.authorization;
    if (this.authorization === undefined) return null;
    return (await this.services.authenticate?.(this.authorization)) ?? null;
  }

  private acknowledge(token: VerifiedToken | null): void {
    if (this.phase === 'closed') return;
    this.token = token;
    const registered = this.services.connections.open(this);
    if (registered instanceof GraphQLError) {
      const { code } = registered.extensions;
      if (code === 'STOPPING') return this.goAway();
      if (code === 'UNAUTHENTICATED') return this.close(CloseCode.Forbidden, registered.message);
      return this.close(CloseCode.TooManyConnections, `${String(code)}: ${registered.message}`);
    }
    this.registered = registered;
    this.phase = 'acknowledged';
    this.say(MessageType.ConnectionAck, { connectionId: registered.id });
  }

  private refuse(error: unknown): void {
    if (error instanceof SautiError) {
      const isBad = error.code === 'UNAUTHENTICATED';
      return this.close(isBad ? CloseCode.Forbidden : CloseCode.TryAgainLater, error.message);
    }
    this.services.logger.error({ error }, 'a WebSocket could not be initialised');
    this.close(CloseCode.InternalServerError, 'Internal server error');
  }

  private subscribe({ id, payload }: SubscribeMessage): void {
    if (this.phase !== 'acknowledged') return this.close(CloseCode.Unauthorized, 'Unauthorized');
    if (this.leave) return this.leave();
    if (id.length > MAX_ID_LENGTH)
      return this.close(CloseCode.BadRequest, `An id has at most ${MAX_ID_LENGTH} characters`);
    if (this.operations.has(id))
      return this.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    const { operations, limits } = this.services;
    const most = limits.maxOperationsPerSocket;
    if (this.operations.size >= most) {
      const message = `At most ${most} operations may be open on one WebSocket.`;
      return this.sendErrors(id, [refusal('SUBSCRIPTION_LIMIT', message)]);
    }
    if (this.isGoingAway) return this.sendErrors(id, [refusal('STOPPING', 'This gateway is stopping.')]);
    const operation = new SocketOperation(this, id, randomUUID());
    this.operations.set(id, operation);
    operations
      .start(payload, this.asker(operation.requestId), operation)
      .then((started) => this.started(operation, started))
      .catch((error: unknown) => {
        this.services.logger.error({ error }, 'an operation on a WebSocket could not be started');
        this.started(operation, [refusal('INTERNAL', 'Something went wrong on our side.')]);
      });
  }

  private started(operation: SocketOperation, started: RunningOperation | GraphQLError[]): void {
    if (!Array.isArray(started)) {
      operation.started(started);
      if ((this.isGoingAway || this.leave) && started.isSubscription) this.forget(operation, 'lost');
    } else if (!operation.isOver) {
      this.sendErrors(operation.id, started);
      this.forget(operation, 'done');
    }
  }

  /** Ends an operation; nothing more is sent of it. */
  private forget(operation: SocketOperation | undefined, how: Leaving): void {
    if (!operation) return;
    operation.leave(how);
    if (this.operations.get(operation.id) === operation) this.operations.delete(operation.id);
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.operations.size > 0) return;
    if (this.leave) this.leave();
    else if (this.isGoingAway) this.close(CloseCode.GoingAway, 'Going away');
  }

  /** Whether the connection has taken some of what waited at the check before. */
  private hasTaken(): boolean {
    const { progress, waitingBytes } = this.outbox;
    const hasTaken = this.hadWaiting && progress !== this.taken;
    this.taken = progress;
    this.hadWaiting = waitingBytes > 0;
    return hasTaken;
  }

  private asker(requestId: string): Asker {
    const { authorization, headers, connectionParams } = this;
    const { client } = this.opener;
    const identity = { viewer: this.token?.viewer ?? null, requestId, ...(client ? { client } : {}) };
    return { identity, authorization, headers, connectionParams };
  }

  private answerPing({ payload }: PingMessage): void {
    if (!asksRenewal(payload)) return this.say(MessageType.Pong, payload);
    void renew(this.services, this.registered?.id, payload).then((told) => this.say(MessageType.Pong, told));
  }

  /** False when it was one too many. */
  private countPing(): boolean {
    if (++this.pings <= MAX_PINGS) return true;
    this.close(CloseCode.PolicyViolation, 'Too many pings');
    return false;
  }

  private say(type: MessageType, payload: object | undefined): void {
    this.outbox.send(JSON.stringify({ type, payload }));
  }

  private sendErrors(id: string, errors: readonly GraphQLError[]): void {
    this.outbox.send(JSON.stringify({ id, type: MessageType.Error, payload: formatErrors(errors) }));
  }
}

function onInitTimeout(client: ClientSocket): void {
  client.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
}

function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
