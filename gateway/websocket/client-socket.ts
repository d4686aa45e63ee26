import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import { MessageType, validateMessage, type Message, type PingMessage, type SubscribeMessage } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Logger } from '../../platform/logger';
import type { Connection, Connections, EndReason, OpenConnection } from '../connections/connections';
import { formatErrors } from '../http/format-error';
import type { DisconnectReason } from '../operations/outlet';
import type { Asker, Leaving, Operations } from '../operations/operations';
import type { Authenticate, GatewayLimits } from '../options';
import { authorizationOf } from './authorization';
import { CloseCode, closeReason, MAX_REASON_BYTES } from './close-code';
import type { KeptAlive } from './keep-alive';
import { Outbox } from './outbox';
import { SocketOperation } from './socket-operation';

/** Pings and pongs that a client may send between two of ours (12 s): twenty a second, which no client needs. */
const MAX_PINGS = 240;
/** Ids are kept for as long as their operations are open; those of clients have 36 characters. */
const MAX_ID_LENGTH = 256;

/** What all sockets share. */
export interface SocketServices {
  operations: Operations;
  connections: Connections;
  authenticate: Authenticate | undefined;
  limits: Pick<GatewayLimits, 'maxOperationsPerSocket' | 'connectionInitMs'>;
  logger: Logger;
}

const NO_ANSWER = 'No answer to pings; resume after your last cursor';

type Phase = 'opened' | 'initialising' | 'acknowledged' | 'closed';

/**
 * The server's side of graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) for one
 * client: what it says is judged here, what it asks for is done by `Operations`. An idle one has neither timer nor
 * closure.
 */
export class ClientSocket implements Connection, KeptAlive {
  readonly outbox: Outbox;
  token: VerifiedToken | null = null;
  private phase: Phase = 'opened';
  private authorization: string | undefined;
  private connectionParams: Record<string, unknown> | undefined;
  private registered: OpenConnection | undefined;
  private readonly operations = new Map<string, SocketOperation>();
  private initTimer: NodeJS.Timeout | undefined;
  private isAlive = true;
  private isLate = false;
  private pings = 0;

  constructor(
    private readonly socket: WebSocket,
    stream: Duplex,
    /** Of the upgrade: what may be forwarded to subgraphs. */
    private readonly headers: IncomingHttpHeaders,
    private readonly services: SocketServices,
    readonly turn: number,
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
      message = validateMessage(JSON.parse(data.toString('utf8')));
    } catch (error) {
      return this.close(CloseCode.BadRequest, `Invalid message: ${(error as Error).message}`);
    }
    this.take(message);
    this.outbox.holdReading();
  }

  /** A ping or pong frame has arrived; `ws` answers pings itself. */
  receiveControl(): void {
    this.isAlive = true;
    this.countPing();
  }

  checkAlive(): void {
    if (this.phase === 'closed') return;
    // One that only does not read finds this when it reads again; `ws` cuts the connection 30 s later.
    if (!this.isAlive && (this.outbox.hasRoom || this.isLate)) return this.close(CloseCode.ConsumerTooSlow, NO_ANSWER);
    // Its answer may be late because it has so much to read before the ping; who sends it so much decides first.
    this.isLate = !this.isAlive;
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
    this.close(CloseCode.Forbidden, reason === 'TOKEN_EXPIRED' ? 'Access token expired' : 'Session ended');
  }

  /** Tells the client where its operations go on, and closes. */
  goAway(): void {
    if (this.phase === 'closed') return;
    const cursors = [...this.operations.values()]
      .filter(({ cursor }) => cursor !== undefined)
      .map(({ id, cursor }) => `${JSON.stringify(id)}:${JSON.stringify(cursor)}`);
    if (this.phase === 'acknowledged')
      this.outbox.send(`{"type":"ping","payload":{"code":"GOING_AWAY","cursors":{${cursors.join(',')}}}}`);
    this.close(CloseCode.GoingAway, 'Going away');
  }

  disconnect(reason: DisconnectReason, cursor: string | undefined): void {
    if (reason === 'GOING_AWAY') return this.goAway();
    const told = `Too slow; resume after ${cursor}`;
    const isTellable = cursor !== undefined && Buffer.byteLength(told) <= MAX_REASON_BYTES;
    this.close(CloseCode.ConsumerTooSlow, isTellable ? told : 'Too slow');
  }

  completed({ id }: SocketOperation): void {
    this.operations.delete(id);
    this.outbox.send(`{"id":${JSON.stringify(id)},"type":"complete"}`);
  }

  /** Nothing is sent or taken from now on; `ws` cuts the connection when the client does not close it, too. */
  close(code: number, reason: string): void {
    if (this.phase === 'closed') return;
    this.end('lost');
    this.socket.close(code, closeReason(reason));
    // The client's own close frame is to be read.
    this.socket.resume();
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
        this.operations.get(message.id)?.leave('done');
        return void this.operations.delete(message.id);
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
    this.authorization = authorizationOf(params);
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
      return this.close(CloseCode.TooManyConnections, `${String(code)}: ${registered.message}`);
    }
    this.registered = registered;
    this.phase = 'acknowledged';
    this.say(MessageType.ConnectionAck, { connectionId: registered.id });
  }

  private refuse(error: unknown): void {
    if (error instanceof SautiError) {
      const isBad = error.code === 'UNAUTHENTICATED';
      return this.close(isBad ? CloseCode.Forbidden : CloseCode.InternalServerError, error.message);
    }
    this.services.logger.error({ error }, 'a WebSocket could not be initialised');
    this.close(CloseCode.InternalServerError, 'Internal server error');
  }

  private subscribe({ id, payload }: SubscribeMessage): void {
    if (this.phase !== 'acknowledged') return this.close(CloseCode.Unauthorized, 'Unauthorized');
    if (id.length > MAX_ID_LENGTH)
      return this.close(CloseCode.BadRequest, `An id has at most ${MAX_ID_LENGTH} characters`);
    if (this.operations.has(id))
      return this.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    const { operations, limits } = this.services;
    const most = limits.maxOperationsPerSocket;
    if (this.operations.size >= most) {
      const message = `At most ${most} operations may be open on one WebSocket.`;
      return this.sendErrors(id, [new GraphQLError(message, { extensions: { code: 'SUBSCRIPTION_LIMIT' } })]);
    }
    const operation = new SocketOperation(this, id, randomUUID());
    this.operations.set(id, operation);
    void operations.start(payload, this.asker(operation.requestId), operation).then((started) => {
      if (!Array.isArray(started)) return operation.started(started);
      if (operation.isOver) return;
      this.operations.delete(id);
      this.sendErrors(id, started);
    });
  }

  private asker(requestId: string): Asker {
    const { authorization, headers, connectionParams } = this;
    return { identity: { viewer: this.token?.viewer ?? null, requestId }, authorization, headers, connectionParams };
  }

  private answerPing({ payload }: PingMessage): void {
    if (payload && Object.hasOwn(payload, 'authorization')) return void this.renew(payload);
    this.say(MessageType.Pong, payload);
  }

  private async renew(payload: Record<string, unknown>): Promise<void> {
    try {
      const id = this.registered?.id ?? '';
      const until = await this.services.connections.renew(id, authorizationOf(payload));
      this.say(MessageType.Pong, { renewedUntil: until.toISOString() });
    } catch (error) {
      if (!(error instanceof SautiError)) this.services.logger.error({ error }, 'a WebSocket could not be renewed');
      const { code, message } =
        error instanceof SautiError ? error : { code: 'INTERNAL', message: 'Something went wrong on our side.' };
      this.say(MessageType.Pong, { error: { code, message } });
    }
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
