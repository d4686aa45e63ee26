import { WebSocket } from 'ws';
import { Flag } from '../../../../platform/events/flag';
import { TranscriberFailedError } from '../transcriber';
import { nonsense, refusal, type Refusal } from './remote-answer';
import { unreachable, untilAnswered, type RemoteService } from './remote-call';

export type LiveService = Pick<RemoteService, 'name' | 'variables' | 'timeoutMs' | 'wait'>;

export interface DeepgramSocketOptions {
  /** What it hears; the key is in the headers. */
  url: URL;
  headers: Record<string, string>;
  /** A connection on which neither side says anything for so long is held open by a message of ours. */
  keepAliveMs: number;
  /** Told each message; what it throws ends the connection. */
  take: (message: unknown) => void;
  signal: AbortSignal;
}

/** With their growing pauses up to 15 s: what was said meanwhile is stored and is caught up with. */
const ATTEMPTS = 6;
/** Answers to a few seconds of speech are some 10 kB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** How long the service has to close a connection that we are done with. */
const FAREWELL_MS = 1_000;

/**
 * One connection to `wss://…/v1/listen`. Once it has broken every call throws why; it is not mended. Neither key nor address
 * are in any message.
 */
export class DeepgramSocket implements AsyncDisposable {
  /** Raised by each message, and when the connection breaks. */
  readonly news = new Flag();
  #failure: Error | undefined;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #abort = (): void => this.fail(this.options.signal.reason as Error);

  /**
   * Connects, and tries again when that may help. Throws EngineUnavailableError when the service refuses us (key, credit,
   * address), TranscriberFailedError for everything else, or the signal's reason.
   */
  static open(service: LiveService, options: DeepgramSocketOptions): Promise<DeepgramSocket> {
    const attempt = () => connect(service, options);
    return untilAnswered(service, { attempts: ATTEMPTS, attempt }, options.signal);
  }

  constructor(
    private readonly service: LiveService,
    private readonly socket: WebSocket,
    private readonly options: DeepgramSocketOptions,
  ) {
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary));
    socket.on('close', (code, reason) => this.#break(`closed the connection (${code}${codeIn(reason)})`));
    socket.on('error', (error: { code?: unknown }) =>
      this.#break(`broke off (${typeof error.code === 'string' ? error.code : 'no reason given'})`),
    );
    this.#keepAlive = setInterval(() => this.tell('KeepAlive'), options.keepAliveMs);
    options.signal.addEventListener('abort', this.#abort);
  }

  /** Throws why the connection cannot be used any more. */
  check(): void {
    this.options.signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when the bytes are on their way: there is never more than one message in memory. */
  async send(bytes: Uint8Array): Promise<void> {
    this.check();
    this.#keepAlive.refresh();
    await new Promise<void>((resolve) => {
      const stalled = (): void => this.#break(`took no audio for ${this.service.timeoutMs / 1_000} s`);
      const timer = setTimeout(stalled, this.service.timeoutMs);
      this.socket.send(bytes, (error) => {
        clearTimeout(timer);
        if (error) this.#break('broke off while audio was sent');
        resolve();
      });
    });
    this.check();
  }

  /** Behind all audio that was sent. */
  tell(type: 'KeepAlive' | 'Finalize' | 'CloseStream'): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type }), () => {});
  }

  /** Ends the connection; calls throw the error from now on, unless it has failed before. */
  fail(error: Error): void {
    this.#failure ??= error;
    clearInterval(this.#keepAlive);
    this.options.signal.removeEventListener('abort', this.#abort);
    this.socket.terminate();
    this.news.raise();
  }

  /** Tells the service that nothing follows, and resolves when the connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.socket.readyState === WebSocket.CLOSED) resolve();
      this.socket.once('close', () => resolve());
    });
    this.tell('CloseStream');
    const timer = setTimeout(() => this.socket.terminate(), FAREWELL_MS);
    await closed;
    clearTimeout(timer);
    this.#break('was closed');
  }

  #take(data: Buffer, isBinary: boolean): void {
    try {
      if (isBinary) throw nonsense(this.service, 'bytes instead of JSON');
      this.options.take(parsed(this.service, data));
      this.news.raise();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #break(what: string): void {
    this.fail(new TranscriberFailedError(`${this.service.name} ${what}.`));
  }
}

function connect(service: LiveService, options: DeepgramSocketOptions): Promise<{ answer: DeepgramSocket } | Refusal> {
  return new Promise((resolve) => {
    const { url, headers, signal } = options;
    const socket = new WebSocket(url, {
      headers: { 'user-agent': 'sauti', ...headers },
      handshakeTimeout: service.timeoutMs,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    const abort = (): void => socket.terminate();
    const settle = (outcome: Parameters<typeof resolve>[0]): void => {
      signal.removeEventListener('abort', abort);
      resolve(outcome);
    };
    signal.addEventListener('abort', abort);
    // Made at once: messages may follow in the same turn.
    socket.once('open', () => settle({ answer: new DeepgramSocket(service, socket, options) }));
    socket.on('error', (error) => settle(unreachable(service, error, { wasSilent: false })));
    socket.once('unexpected-response', (request, response) => {
      const answer = { statusCode: response.statusCode ?? 0, headers: response.headers, body: response };
      void refusal(service, answer)
        .catch((error: unknown) => unreachable(service, error, { wasSilent: false }))
        .then(settle)
        .finally(() => request.destroy());
    });
  });
}

/** Such as `NET-0001`; the text beside it is left out, as it may repeat what was sent. */
function codeIn(reason: Buffer): string {
  const found = /\b[A-Z]{2,10}-\d{4}\b/.exec(reason.toString('utf8'));
  return found ? `, ${found[0]}` : '';
}

function parsed(service: LiveService, data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8')) as unknown;
  } catch {
    throw nonsense(service, 'JSON that breaks off or is none');
  }
}
