import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { CancelSignal } from '../../platform/cancellation';
import { SautiError } from '../../platform/errors';
import { HELD_OFF, type CallOutcome, type CircuitBreaker } from './breaker';
import { AnswerTooLargeError, decodeBody, tooLarge } from './decode';
import { SubgraphError } from './transport';

/** Where calls go; the same for all calls to one subgraph. */
export interface HttpTarget {
  pool: Dispatcher;
  path: string;
  maxAnswerBytes: number;
  breaker: CircuitBreaker | null;
}

/** What one call sends, and what limits it. */
export interface HttpRequest<Value> {
  /** Name, value, name, value. */
  headers: string[];
  /** A stream is read with back-pressure and destroyed when the call ends before it. */
  body: string | Readable;
  deadlineMs: number;
  /** How often the request may be sent again after a connection failed without any answer. */
  retries: number;
  /** Undefined where the call is ended by `cancel` instead. */
  signal: CancelSignal | undefined;
  /** Makes the result of an answer; throws a {@link SubgraphError} when it is none. */
  read(status: number, text: string): Value;
}

/** Longest wait before the first repeat; it doubles with every further one, up to the second figure. */
const FIRST_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 100;

/** The connection could not be made, or broke: codes of Node and of undici. */
const CONNECTION_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * One call over HTTP, from its first attempt to its one result. Rejects with a {@link SubgraphError}, with the
 * {@link SautiError} an upload failed with (the client's doing, not the subgraph's), or with the signal's reason. An
 * answer that is under way when the call ends is not read on: its connection is closed.
 *
 * A class with few allocations instead of promises and closures, because every fetch of every operation goes through it;
 * undici calls it as the handler of the request, and the signal as its listener.
 */
export class HttpCall<Value> implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private timer: NodeJS.Timeout | undefined;
  private backoff: NodeJS.Timeout | undefined;
  private isSettled = false;
  private attempts = 0;
  private pass = HELD_OFF;
  private status = 0;
  private encoding: string | string[] | undefined;
  private sizeBytes = 0;
  /** Most answers are one piece; only then is there no list. */
  private first: Buffer | undefined;
  private others: Buffer[] | undefined;

  constructor(
    private readonly target: HttpTarget,
    private readonly request: HttpRequest<Value>,
    private readonly resolve: (value: Value) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  start(): void {
    const { signal } = this.request;
    if (signal?.aborted) return this.handleEvent();
    if (this.target.breaker && (this.pass = this.target.breaker.pass()) === HELD_OFF) return this.holdOff();
    signal?.addEventListener('abort', this);
    this.startDeadline();
    this.send();
  }

  /** Starts the deadline, or starts it anew; for bodies that are streamed. */
  startDeadline(): void {
    if (this.isSettled) return;
    if (this.timer) this.timer.refresh();
    else this.timer = setTimeout(expire, this.request.deadlineMs, this);
  }

  /** Stops the deadline while the subgraph is not the one to wait for. */
  stopDeadline(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The signal aborted. */
  handleEvent(): void {
    this.fail(this.request.signal?.reason, 'abandoned');
  }

  /** Ends the call; it is rejected, but nobody should be left who waits. */
  cancel(): void {
    this.fail(new Error('nobody waits for this call any more'), 'abandoned');
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // It has waited for a connection longer than anybody waited for it.
    if (this.isSettled) controller.abort(new Error('the call has ended'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.encoding = headers['content-encoding'];
    if (Number(headers['content-length']) > this.target.maxAnswerBytes) this.failTooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isSettled) return;
    this.sizeBytes += chunk.length;
    if (this.sizeBytes > this.target.maxAnswerBytes) this.failTooLarge();
    else if (!this.first) this.first = chunk;
    else (this.others ??= [this.first]).push(chunk);
  }

  onResponseEnd(): void {
    if (this.isSettled) return;
    const bytes = this.others ? Buffer.concat(this.others) : this.first;
    if (bytes && this.encoding !== undefined && this.encoding !== 'identity') this.decode(bytes, this.encoding);
    else this.answer(bytes);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.isSettled) return;
    // What cannot even be sent says nothing about the subgraph.
    const isUnsendable = (error as NodeJS.ErrnoException).code === 'UND_ERR_INVALID_ARG';
    if (error instanceof SautiError || isUnsendable) this.fail(error, 'abandoned');
    else if (this.mayRetry(error)) this.retry();
    else
      this.fail(new SubgraphError('SUBGRAPH_UNAVAILABLE', `no answer: ${error.message}`, { cause: error }), 'failed');
  }

  /** The deadline passed. */
  expire(): void {
    this.fail(new SubgraphError('SUBGRAPH_TIMEOUT', `did not answer within ${this.request.deadlineMs} ms`), 'failed');
  }

  private holdOff(): void {
    this.fail(new SubgraphError('SUBGRAPH_UNAVAILABLE', 'is held off by its circuit breaker'), 'abandoned');
  }

  private send(): void {
    this.attempts++;
    const { pool, path } = this.target;
    const { headers, body } = this.request;
    pool.dispatch({ path, method: 'POST', headers, body }, this);
  }

  /** Only where nothing came back: a connection that was refused, or a kept one that closed just when it was used. */
  private mayRetry(error: Error): boolean {
    return (
      this.attempts <= this.request.retries &&
      this.status === 0 &&
      CONNECTION_ERRORS.has((error as NodeJS.ErrnoException).code ?? '')
    );
  }

  private retry(): void {
    const longestMs = Math.min(FIRST_BACKOFF_MS * 2 ** (this.attempts - 1), MAX_BACKOFF_MS);
    this.backoff = setTimeout(() => this.send(), Math.random() * longestMs);
  }

  private decode(bytes: Buffer, encoding: string | string[]): void {
    decodeBody(bytes, encoding, this.target.maxAnswerBytes).then(
      (decoded) => this.answer(decoded),
      (error: unknown) => this.fail(error, error instanceof AnswerTooLargeError ? 'answered' : 'failed'),
    );
  }

  private answer(bytes: Buffer | undefined): void {
    if (this.isSettled) return;
    let value: Value;
    try {
      value = this.request.read(this.status, bytes ? bytes.toString('utf8') : '');
    } catch (error) {
      this.fail(error, 'failed');
      return;
    }
    this.settle('answered');
    this.resolve(value);
  }

  private failTooLarge(): void {
    this.fail(tooLarge(this.target.maxAnswerBytes), 'answered');
  }

  private fail(error: unknown, outcome: CallOutcome): void {
    if (this.isSettled) return;
    this.settle(outcome);
    this.reject(error);
    this.controller?.abort(new Error('the call has ended'));
    if (typeof this.request.body !== 'string') this.request.body.destroy();
  }

  private settle(outcome: CallOutcome): void {
    this.isSettled = true;
    clearTimeout(this.timer);
    clearTimeout(this.backoff);
    this.request.signal?.removeEventListener('abort', this);
    this.target.breaker?.record(this.pass, outcome);
  }
}

function expire(call: { expire(): void }): void {
  call.expire();
}
