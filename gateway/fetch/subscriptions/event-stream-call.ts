import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { checkAnswer, readAnswer } from '../answer';
import { decodeBody, tooLarge } from '../decode';
import { SubgraphError } from '../transport';
import { AnswerQueue } from './answer-queue';
import { badResponse, timeout, unavailable } from './failures';
import { EventStreamParser, type StreamEvent } from './event-stream-parser';
import { Silence } from './silence';

export interface EventStreamLimits {
  /** Time until the head of the answer, and of the whole answer where it is no stream. */
  ackMs: number;
  /** Shortest time without a sign of life after which a subgraph that sends them is gone is twice this. */
  keepAliveMs: number;
  maxEventBytes: number;
  /** Whether the call carries the gateway's signature: then a refusal is about the gateway and not about the client. */
  isSigned: boolean;
}

/**
 * Receives one event stream for undici; `queue` has its events. A stream that breaks off before `complete`, that falls silent,
 * or that is not understood ends the queue with a {@link SubgraphError}. An answer that is no stream is
 * the only event, such as the errors of a refusal.
 */
export class EventStreamCall implements Dispatcher.DispatchHandler {
  readonly queue = new AnswerQueue({ hold: () => this.hold(), release: () => this.release() });
  private controller: Dispatcher.DispatchController | undefined;
  private parser: EventStreamParser | undefined;
  private readonly silence: Silence;
  private ackTimer: NodeJS.Timeout | undefined;
  private hasEnded = false;
  private status = 0;
  private encoding: string | string[] | undefined;
  private body: Buffer[] = [];
  private bodyBytes = 0;

  constructor(private readonly limits: EventStreamLimits) {
    this.silence = new Silence(limits.keepAliveMs, (ms) => this.end(unavailable(`was silent for ${ms} ms`)));
    this.ackTimer = setTimeout(() => this.end(timeout('answer a subscription', limits.ackMs)), limits.ackMs);
  }

  /** Ends the stream and its connection; what has arrived stays in the queue. */
  end(error?: SubgraphError): void {
    if (this.hasEnded) return;
    this.queue.end(error);
    this.close();
  }

  /** Nobody wants events any more. */
  close(): void {
    this.hasEnded = true;
    clearTimeout(this.ackTimer);
    this.silence.stop();
    this.controller?.abort(new Error('the subscription has ended'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.hasEnded) controller.abort(new Error('the subscription has ended'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.encoding = headers['content-encoding'];
    if (status !== 200 || !/^text\/event-stream\b/i.test(headers['content-type'] ?? '')) return;
    clearTimeout(this.ackTimer);
    if (this.isEncoded())
      return this.end(badResponse(`sent an event stream with the encoding ${String(this.encoding)}`));
    this.parser = new EventStreamParser(this.limits.maxEventBytes, {
      event: (event) => this.take(event),
      comment: () => this.hasEnded || this.silence.beat(),
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.hasEnded) return;
    this.silence.sign();
    if (this.parser) return this.parse(this.parser, chunk);
    this.bodyBytes += chunk.length;
    this.body.push(chunk);
    if (this.bodyBytes > this.limits.maxEventBytes) this.end(tooLarge(this.limits.maxEventBytes));
  }

  onResponseEnd(): void {
    if (this.hasEnded) return;
    if (this.parser) return this.end(unavailable('ended the event stream without "complete"'));
    void this.takeBody(Buffer.concat(this.body));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.end(unavailable(`the event stream broke: ${error.message}`, error));
  }

  private parse(parser: EventStreamParser, chunk: Buffer): void {
    try {
      parser.push(chunk);
    } catch (error) {
      this.end(badResponse(`sent an event stream that cannot be read: ${(error as Error).message}`, error));
    }
  }

  private take({ name, data }: StreamEvent): void {
    if (this.hasEnded) return;
    if (name === 'complete') return this.end();
    if (name !== 'next') return this.end(badResponse(`sent an event "${name}", which is neither next nor complete`));
    try {
      this.queue.push(checkAnswer(JSON.parse(data)), data.length);
    } catch (error) {
      this.end(error instanceof SubgraphError ? error : badResponse('sent an event that is not JSON', error));
    }
  }

  /** The one answer of a subgraph that opens no stream. */
  private async takeBody(bytes: Buffer): Promise<void> {
    const { maxEventBytes, isSigned } = this.limits;
    try {
      const decoded = this.isEncoded() ? await decodeBody(bytes, this.encoding!, maxEventBytes) : bytes;
      this.queue.push(readAnswer(this.status, decoded.toString('utf8'), isSigned), decoded.length);
      this.end();
    } catch (error) {
      this.end(error as SubgraphError);
    }
  }

  /** graphql-sse says "none", which is no encoding. */
  private isEncoded(): boolean {
    return this.encoding !== undefined && this.encoding !== 'identity' && this.encoding !== 'none';
  }

  private hold(): void {
    this.silence.excuse(true);
    this.controller?.pause();
  }

  private release(): void {
    this.silence.excuse(false);
    if (!this.hasEnded) this.controller?.resume();
  }
}
