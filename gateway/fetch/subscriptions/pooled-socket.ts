import { WebSocket, type ClientOptions } from 'ws';
import { isDeeperThan, MAX_JSON_LEVELS } from '../../../platform/json-depth';
import { keepAlive } from '../../../platform/http/keep-alive';
import { checkAnswer } from '../answer';
import { tooLarge } from '../decode';
import type { SubgraphError } from '../transport';
import { type SubgraphAnswer, type SubgraphCall } from '../transport';
import { AnswerQueue } from './answer-queue';
import { badResponse, timeout, unavailable } from './failures';
import { readServerMessage, type ServerMessage } from './socket-message';

export interface PooledSocketOptions {
  /** `ws:` or `wss:`. */
  url: string;
  headers: Record<string, string>;
  /** The payload of `connection_init`; undefined: none. */
  connectionParams: Record<string, unknown> | undefined;
  maxMessageBytes: number;
  /** From the start of the connection to `connection_ack`. */
  ackMs: number;
  /** Interval of pings; a peer that leaves one unanswered until the next is gone. */
  keepAliveMs: number;
  /** How long a slow consumer may hold back those it shares the socket with. */
  holdMs: number;
  /** How long the socket stays open without a subscription. */
  lingerMs: number;
}

const PROTOCOL = 'graphql-transport-ws';
/** How long a subgraph may take to answer a closing handshake; ws itself would wait for 30 s. */
const CLOSE_MS = 2_000;

/**
 * One graphql-transport-ws connection to a subgraph, shared by the subscriptions of one caller scope. When it breaks each
 * of them fails with the reason; it is not opened again. What is wrong with one subscription (an error, a payload that is
 * no result) ends that one alone. A message over the limit and one that is none end the socket: what follows
 * them cannot be trusted. A consumer that leaves much untaken stops the reading of the whole socket until it caught up: as
 * long as it wants where it is alone, else for `holdMs`; then its subscription fails for the sake of the others.
 */
export class PooledSocket {
  private readonly socket: WebSocket;
  private readonly streams = new Map<string, Stream>();
  /** Streams whose consumers are so slow that nothing is read, and when their time is up. */
  private readonly holding = new Map<string, NodeJS.Timeout>();
  private readonly ackTimer: NodeJS.Timeout;
  private lingerTimer: NodeJS.Timeout | undefined;
  private isAcknowledged = false;
  private hasEnded = false;
  private lastId = 0;

  /** Opens the connection; `onEnd` is called once, as soon as no subscription may be added any more. Throws what ws throws. */
  constructor(
    private readonly options: PooledSocketOptions,
    private readonly onEnd: () => void,
  ) {
    const { url, headers, maxMessageBytes, ackMs, keepAliveMs } = options;
    // `closeTimeout` is missing in the types of ws.
    const socketOptions: ClientOptions & { closeTimeout: number } = {
      headers,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      closeTimeout: CLOSE_MS,
    };
    const socket = new WebSocket(url, PROTOCOL, socketOptions);
    this.socket = socket;
    this.ackTimer = setTimeout(() => this.giveUp(timeout('acknowledge the connection', ackMs)), ackMs);
    socket.once('open', () => {
      this.send({ type: 'connection_init', payload: options.connectionParams });
      const onGone = (): void => this.end(unavailable('answered no ping: its host is gone'));
      keepAlive(socket, keepAliveMs, { pausedIsAlive: true, onGone });
    });
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('error', (error) => this.end(this.socketFailure(error)));
    socket.once('close', (code, reason) => this.end(closed(code, reason.toString('utf8'))));
  }

  /** Whether nothing is read because a consumer is slow. */
  get isHeld(): boolean {
    return this.holding.size > 0;
  }

  /** The events of one subscription; may be asked for until `onEnd`. It leaves the socket when the signal aborts. */
  async *subscribe(call: SubgraphCall, signal: AbortSignal): AsyncGenerator<SubgraphAnswer, void, void> {
    clearTimeout(this.lingerTimer);
    const id = String(++this.lastId);
    const queue = new AnswerQueue({ hold: () => this.hold(id), release: () => this.release(id) });
    const stream: Stream = { queue, payload: payloadOf(call) };
    this.streams.set(id, stream);
    if (this.isAcknowledged) this.start(id, stream);
    try {
      yield* queue.read(signal);
    } finally {
      this.leave(id);
    }
  }

  /** Ends the connection and, with an error, what is still subscribed. */
  close(): void {
    this.end(unavailable('its subscriptions were closed by the gateway'));
    // A socket that is not read would never see the answer to its closing handshake.
    this.resume();
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.terminate();
    else this.socket.close(1000, 'Normal Closure');
  }

  private start(id: string, { payload }: Stream): void {
    // The payload is JSON already.
    this.socket.send(`{"id":"${id}","type":"subscribe","payload":${payload}}`);
  }

  private leave(id: string): void {
    const isRunning = this.streams.delete(id);
    this.release(id);
    if (this.hasEnded) return;
    if (isRunning && this.isAcknowledged) this.send({ id, type: 'complete' });
    if (this.streams.size > 0) return;
    clearTimeout(this.lingerTimer);
    this.lingerTimer = setTimeout(() => this.close(), this.options.lingerMs);
  }

  private receive(data: Buffer): void {
    if (this.hasEnded) return;
    try {
      const message = readServerMessage(data.toString('utf8'));
      if (!message) this.refuse('sent a message that is none of graphql-transport-ws');
      else this.take(message, data.length);
    } catch (error) {
      // Whatever it is about: one subgraph's message must not reach further than its socket.
      this.giveUp(badResponse(`sent a message that cannot be taken: ${(error as Error).message}`, error));
    }
  }

  private refuse(reason: string): void {
    this.end(badResponse(reason));
    this.socket.close(4400, 'Invalid message');
  }

  private take(message: ServerMessage, sizeBytes: number): void {
    switch (message.type) {
      case 'connection_ack':
        return this.acknowledge();
      case 'ping':
        if (!isDeeperThan(MAX_JSON_LEVELS, message.payload)) this.send({ type: 'pong', payload: message.payload });
        else this.refuse(`sent a ping that is nested deeper than ${MAX_JSON_LEVELS} levels`);
        return;
      case 'pong':
        return;
      case 'next':
        return this.next(message.id, message.payload, sizeBytes);
      case 'error':
        this.next(message.id, { errors: message.payload }, sizeBytes);
        return this.finish(message.id);
      case 'complete':
        return this.finish(message.id);
    }
  }

  private acknowledge(): void {
    if (this.isAcknowledged) return;
    this.isAcknowledged = true;
    clearTimeout(this.ackTimer);
    for (const [id, stream] of this.streams) this.start(id, stream);
  }

  /** Messages for a subscription that has just been left are nothing to wonder about. */
  private next(id: string, payload: unknown, sizeBytes: number): void {
    try {
      this.streams.get(id)?.queue.push(checkAnswer(payload), sizeBytes);
    } catch (error) {
      this.send({ id, type: 'complete' });
      this.finish(id, error as SubgraphError);
    }
  }

  private finish(id: string, error?: SubgraphError): void {
    const stream = this.streams.get(id);
    this.streams.delete(id);
    stream?.queue.end(error);
  }

  private giveUp(error: SubgraphError): void {
    this.end(error);
    this.socket.terminate();
  }

  private end(error: SubgraphError): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearTimeout(this.ackTimer);
    clearTimeout(this.lingerTimer);
    this.holding.forEach((timer) => clearTimeout(timer));
    this.onEnd();
    for (const id of [...this.streams.keys()]) this.finish(id, error);
  }

  private hold(id: string): void {
    if (this.hasEnded) return;
    this.socket.pause();
    const timer = setTimeout(() => this.judge(id, timer), this.options.holdMs);
    this.holding.set(id, timer);
  }

  /** The time of a slow consumer is up. */
  private judge(id: string, timer: NodeJS.Timeout): void {
    const others = this.streams.size - (this.streams.has(id) ? 1 : 0);
    if (others === 0) return void timer.refresh();
    this.send({ id, type: 'complete' });
    this.finish(
      id,
      unavailable(`its events were not taken for ${this.options.holdMs} ms while others waited for theirs`),
    );
    this.release(id);
  }

  private release(id: string): void {
    clearTimeout(this.holding.get(id));
    if (this.holding.delete(id) && this.holding.size === 0) this.resume();
  }

  private resume(): void {
    // ws has nothing to resume before the handshake and after the end, and says so with a TypeError.
    if (this.socket.readyState === WebSocket.OPEN && this.socket.isPaused) this.socket.resume();
  }

  private send(message: object): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private socketFailure(error: Error & { code?: string }): SubgraphError {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return tooLarge(this.options.maxMessageBytes);
    return unavailable(`its socket failed: ${error.message}`, error);
  }
}

interface Stream {
  queue: AnswerQueue;
  /** Of its `subscribe` message, as JSON. */
  payload: string;
}

/** Over HTTP the request id is a header; here the socket outlives the request. */
function payloadOf(call: SubgraphCall): string {
  const extensions = JSON.stringify({ requestId: call.identity.requestId });
  return `${call.operation.bodyStart}${call.variablesText()},"extensions":${extensions}}`;
}

function closed(code: number, reason: string): SubgraphError {
  return unavailable(`closed the socket: ${code} ${reason || 'without a reason'}`);
}
