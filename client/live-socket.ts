/** What the server of a live session says on the socket; docs/live.md tells the whole protocol. */
export type LiveMessage =
  | { type: 'ready'; acknowledgedSequence: number; maxChunkBytes: number; maxChunkMs: number }
  | { type: 'acknowledged'; sequence: number }
  | { type: 'flushed' }
  | { type: 'ended'; acknowledgedSequence: number }
  | { type: 'error'; code: string; message: string; expectedSequence?: number; retryAfterMs?: number };

/** Why a socket is no more. */
export interface LiveSocketEnd {
  /** Of the WebSocket: 4400 and more are told in docs/live.md, 1006 for a socket that broke or fell silent. */
  closeCode: number;
  message: string;
  /** What the server said last, if it was an error. */
  code?: string | undefined;
  retryAfterMs?: number | undefined;
}

export interface LiveSocketOptions {
  url: string;
  token: string;
  /** The class of `ws`, where there is no global one. */
  webSocketImpl?: unknown;
  /** How long an answer that is due may take before the socket is given up, in milliseconds. Default 15 s. */
  silenceMs?: number | undefined;
  onMessage: (message: LiveMessage) => void;
  /** Called once; nothing comes behind it. */
  onEnd: (end: LiveSocketEnd) => void;
}

/** One connection to the `ingest` of a live session. It knows the protocol and nothing of what was sent before it. */
export class LiveSocket {
  private readonly socket: WebSocket;
  private error: Extract<LiveMessage, { type: 'error' }> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isOver = false;
  /** Answers that are due: `ready` at first. */
  private answersDue = 1;
  private lastSent = 0;
  private lastAcknowledged = 0;

  constructor(private readonly options: LiveSocketOptions) {
    const Implementation = (options.webSocketImpl ?? WebSocket) as typeof WebSocket;
    const socket = new Implementation(options.url, 'sauti.live.v1');
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.tell({ type: 'start', token: options.token });
    socket.onmessage = ({ data }) => this.hear(String(data));
    socket.onclose = ({ code, reason }) =>
      this.finish({ closeCode: code, message: reason || 'The connection was lost.' });
    // A browser tells nothing about what went wrong, and `onclose` follows.
    socket.onerror = (event) => this.finish({ closeCode: 1006, message: messageOf(event) });
    this.watch();
  }

  /** Sends a chunk; `acknowledged` with this sequence or a higher one follows once it is stored. */
  send(sequence: number, bytes: Uint8Array): void {
    const frame = new Uint8Array(4 + bytes.length);
    new DataView(frame.buffer).setUint32(0, sequence);
    frame.set(bytes, 4);
    this.lastSent = sequence;
    this.socket.send(frame);
    this.watch();
  }

  /** `flushed` follows. */
  flush(): void {
    this.answersDue++;
    this.tell({ type: 'flush' });
  }

  /** `ended` follows, and then the end of the socket. */
  end(): void {
    this.answersDue++;
    this.tell({ type: 'end' });
  }

  /** Closes it; nothing is told any more. */
  leave(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.socket.close();
  }

  private tell(message: object): void {
    this.socket.send(JSON.stringify(message));
    this.watch();
  }

  private hear(text: string): void {
    if (this.isOver) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const message = JSON.parse(text) as LiveMessage;
    if (message.type === 'acknowledged') this.lastAcknowledged = message.sequence;
    else if (message.type === 'error') this.error = message;
    else this.answersDue--;
    if (this.answersDue > 0 || this.lastAcknowledged < this.lastSent) this.watch();
    this.options.onMessage(message);
  }

  /** A dead network closes no socket: who gets no answer has to notice by the clock. */
  private watch(): void {
    const { silenceMs = 15_000 } = this.options;
    this.timer ??= setTimeout(
      () => this.finish({ closeCode: 1006, message: `There was no answer for ${silenceMs / 1_000} s.` }),
      silenceMs,
    );
  }

  private finish(end: LiveSocketEnd): void {
    if (this.isOver) return;
    this.leave();
    const { code, message = end.message, retryAfterMs } = this.error ?? {};
    this.options.onEnd({ ...end, message, code, retryAfterMs });
  }
}

function messageOf(event: unknown): string {
  const { message } = event as { message?: unknown };
  return typeof message === 'string' && message ? message : 'The connection was lost.';
}
