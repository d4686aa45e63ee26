import { LiveBacklog } from './live-backlog';
import { LiveSocket, type LiveMessage, type LiveSocketEnd } from './live-socket';
import { waitMs } from './resume';

/** Where a session takes audio, as `liveSession(id:)` answers. */
export interface LivePlace {
  acknowledgedSequence: number;
  /** Null when the session takes no more. */
  ingest: { webSocketUrl: string; token: string } | null;
}

export interface LiveAudioOptions {
  /**
   * Asks `liveSession(id:)`, before each connection, since a token is good for one. What it throws is tried again, except a
   * {@link LiveAudioError}.
   */
  place: () => Promise<LivePlace>;
  /** As the session was started. Default `pcm_s16le`; what is in a container is sent as it comes. */
  encoding?: 'pcm_s16le' | 'container';
  /** Samples a second of PCM. Default 16,000. */
  sampleRate?: number;
  /** How much PCM is sent at once, in milliseconds. Default 50; shorter costs messages, longer delays words. */
  chunkMs?: number;
  /** How many bytes are kept that are not acknowledged. Default 2 minutes of PCM, or 4 MiB of a container. */
  keepBytes?: number;
  /** How long connecting may fail before it is given up, in milliseconds. Default 5 minutes. */
  giveUpMs?: number;
  /** How long the server may be silent when an answer is due, in milliseconds. Default 15 s. */
  silenceMs?: number;
  /** The class of `ws`, where there is no global one. */
  webSocketImpl?: unknown;
  /** The connection is lost; it is tried again after `waitMs`. */
  onLost?: (reason: string, waitMs: number) => void;
  /** Every place for live recognition is taken; it is tried again after `waitMs`. */
  onBusy?: (waitMs: number) => void;
}

/** Why no more audio can be sent; `code` is one of the graph's. */
export class LiveAudioError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'LiveAudioError';
  }
}

/** Close codes behind which no other connection fares better. Any other one is a reason to come back. */
const FATAL: Record<number, string> = {
  1009: 'INVALID_INPUT',
  4400: 'INVALID_INPUT',
  4404: 'NOT_FOUND',
  4409: 'CONFLICT',
  4410: 'INVALID_STATE',
};
const CONTAINER_CHUNK_BYTES = 64 * 1024;

/**
 * Sends audio to a live session, every byte once and in order, however often the connection is lost. What is not acknowledged
 * is kept and sent again behind `acknowledgedSequence`; when that becomes too much, `send` waits. Goes on where an earlier
 * writer of the session has stopped. Disposing leaves the session open; `end` ends it.
 */
export class LiveAudio implements AsyncDisposable {
  private readonly keepBytes: number;
  /** Its chunks are counted from 1; the session numbers them from `base` + 1. */
  private readonly backlog: LiveBacklog;
  private base: number | undefined;
  /** The last chunk that was sent on this socket. */
  private sent = 0;
  private flushes: { after: number; isSent: boolean }[] = [];
  private isEnding = false;
  private isEnded = false;
  private isLeft = false;
  private failure: LiveAudioError | undefined;
  private socket: LiveSocket | undefined;
  private isReady = false;
  /** When the first of the failures was of which none has passed. */
  private failingSince: number | undefined;
  private retries = 0;
  private wake = (): void => {};
  private change = Promise.resolve();
  private readonly running: Promise<void>;

  constructor(private readonly options: LiveAudioOptions) {
    const { encoding = 'pcm_s16le', sampleRate = 16_000, chunkMs = 50 } = options;
    const isPcm = encoding === 'pcm_s16le';
    const chunkBytes = isPcm ? 2 * Math.round((sampleRate * chunkMs) / 1_000) : CONTAINER_CHUNK_BYTES;
    this.backlog = new LiveBacklog(chunkBytes, isPcm ? 2 : 1);
    this.keepBytes = options.keepBytes ?? (isPcm ? 120 * 2 * sampleRate : 4 * 1024 * 1024);
    this.changed();
    this.running = this.run().catch((error: unknown) => this.fail(error));
  }

  /**
   * Resolves when there is room for more: who does not wait for that, as a microphone cannot, is kept as long as it takes.
   * Throws {@link LiveAudioError} once nothing can be sent any more, and then keeps nothing.
   */
  async send(bytes: Uint8Array): Promise<void> {
    this.refuseWhenOver(this.isEnding);
    this.backlog.add(bytes, this.options.encoding === 'container');
    this.pump();
    await this.reached(() => this.backlog.keptBytes < this.keepBytes);
  }

  /** Sends all of a source, no faster than it is stored. Throws what the source throws, too. */
  async sendAll(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of source) await this.send(bytes);
  }

  /** Makes everything sent so far final without a pause; resolves when the server has it. */
  async flush(): Promise<void> {
    this.refuseWhenOver(this.isEnding);
    this.backlog.cut();
    const flush = { after: this.backlog.last, isSent: false };
    this.flushes.push(flush);
    this.pump();
    await this.reached(() => !this.flushes.includes(flush));
  }

  /** Ends the session; resolves when everything is stored. What is said in it is still to be recognized then. */
  async end(): Promise<void> {
    this.refuseWhenOver();
    this.backlog.cut();
    this.isEnding = true;
    this.pump();
    await this.reached(() => this.isEnded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isLeft = true;
    this.changed();
    this.socket?.leave();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isEnded && !this.isLeft && !this.failure) {
      const end = await this.connect();
      if (end && !this.isEnded && !this.isLeft) await this.recover(end);
    }
  }

  /** One connection from beginning to end; answers why it is over, nothing when it was not needed or is left. */
  private async connect(): Promise<LiveSocketEnd | undefined> {
    let place: LivePlace;
    try {
      place = await this.options.place();
    } catch (error) {
      if (error instanceof LiveAudioError) throw error;
      return { closeCode: 1006, message: error instanceof Error ? error.message : String(error) };
    }
    if (this.base !== undefined) this.forget(place.acknowledgedSequence);
    if (!place.ingest) return { closeCode: 4410, message: 'The session has ended.' };
    if (this.isLeft) return undefined;
    let end: LiveSocketEnd | undefined;
    const { webSocketImpl, silenceMs } = this.options;
    this.socket = new LiveSocket({
      url: place.ingest.webSocketUrl,
      token: place.ingest.token,
      webSocketImpl,
      silenceMs,
      onMessage: (message) => this.hear(message),
      onEnd: (how) => ((end = how), this.changed()),
    });
    await this.until(() => end !== undefined || this.isEnded || this.isLeft).finally(() => {
      this.isReady = false;
      this.socket?.leave();
    });
    return end;
  }

  private hear(message: LiveMessage): void {
    if (message.type !== 'error') this.failingSince = undefined;
    if (message.type === 'ready') this.begin(message.acknowledgedSequence);
    else if (message.type === 'acknowledged') this.forget(message.sequence);
    else if (message.type === 'flushed') this.flushes.shift();
    else if (message.type === 'ended') this.finish(message.acknowledgedSequence);
    this.changed();
  }

  /** The server ends a session by itself that is as long as it may be; what lies behind that is not taken. */
  private finish(acknowledgedSequence: number): void {
    this.forget(acknowledgedSequence);
    if (this.isEnding && this.isAllStored) this.isEnded = true;
    else this.fail(new LiveAudioError('INVALID_STATE', 'The session has ended: it is as long as one may be.'));
  }

  /** Goes on behind what the session has, on a new socket. */
  private begin(acknowledgedSequence: number): void {
    this.base ??= acknowledgedSequence;
    const { backlog } = this;
    const stored = acknowledgedSequence - this.base;
    if (stored < backlog.acknowledged || stored > backlog.last) {
      return this.fail(new LiveAudioError('CONFLICT', 'Somebody else has sent audio to this session.'));
    }
    backlog.forget(stored);
    this.sent = stored;
    // What lies behind a flush is stored, so the flush is, too: another one would cut the sentence that is under way now.
    this.flushes = this.flushes.filter(({ after }) => after >= stored);
    for (const flush of this.flushes) flush.isSent = false;
    this.isReady = true;
    this.retries = 0;
    this.pump();
  }

  private get isAllStored(): boolean {
    return this.backlog.acknowledged === this.backlog.last;
  }

  private forget(acknowledgedSequence: number): void {
    this.backlog.forget(acknowledgedSequence - this.base!);
  }

  /** Sends what has not been sent on this socket: chunks, flushes where they belong between them, and the end. */
  private pump(): void {
    const { socket, backlog } = this;
    if (!socket || !this.isReady) return;
    for (;;) {
      for (const flush of this.flushes) {
        if (flush.isSent || flush.after > this.sent) continue;
        flush.isSent = true;
        socket.flush();
      }
      if (this.sent === backlog.last) break;
      this.sent++;
      socket.send(this.base! + this.sent, backlog.chunk(this.sent));
    }
    if (!this.isEnding) return;
    this.isReady = false;
    socket.end();
  }

  /** Waits until another connection makes sense; throws when none does. */
  private async recover({ closeCode, code, message, retryAfterMs }: LiveSocketEnd): Promise<void> {
    // The answer to `end` was lost, and everything is there.
    if (closeCode === 4410 && this.isEnding && this.isAllStored) return void ((this.isEnded = true), this.changed());
    const fatal = FATAL[closeCode];
    if (fatal) throw new LiveAudioError(code ?? fatal, message);
    const wait = retryAfterMs ?? waitMs(this.retries++);
    if (closeCode === 4429) {
      this.failingSince = undefined;
      this.options.onBusy?.(wait);
    } else {
      const { giveUpMs = 300_000 } = this.options;
      this.failingSince ??= performance.now();
      if (performance.now() - this.failingSince > giveUpMs) throw new LiveAudioError('NETWORK', message);
      this.options.onLost?.(message, wait);
    }
    let isTime = false;
    const timer = setTimeout(() => ((isTime = true), this.changed()), wait);
    await this.until(() => isTime || this.isLeft).finally(() => clearTimeout(timer));
  }

  private fail(error: unknown): void {
    this.failure ??=
      error instanceof LiveAudioError ? error : new LiveAudioError('INTERNAL', String(error), { cause: error });
    this.backlog.forget(Infinity);
    this.changed();
  }

  private refuseWhenOver(isEnding = false): void {
    if (this.failure) throw this.failure;
    if (isEnding) throw new LiveAudioError('INVALID_STATE', 'The session is ended: it takes no more.');
    if (this.isLeft) throw leftError();
  }

  /** What a caller waits for; throws when it does not come any more. */
  private async reached(isTrue: () => boolean): Promise<void> {
    await this.until(() => isTrue() || this.isLeft);
    if (!isTrue()) throw leftError();
  }

  private changed(): void {
    this.wake();
    this.change = new Promise((resolve) => (this.wake = resolve));
  }

  private async until(isTrue: () => boolean): Promise<void> {
    for (;;) {
      if (this.failure) throw this.failure;
      if (isTrue()) return;
      await this.change;
    }
  }
}

function leftError(): LiveAudioError {
  return new LiveAudioError('INVALID_STATE', 'The session was left.');
}
