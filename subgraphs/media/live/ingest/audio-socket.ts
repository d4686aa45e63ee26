import type { RawData, WebSocket } from 'ws';
import { keepAlive } from '../../../../platform/http/keep-alive';
import { admit } from './admission';
import { MAX_CHUNK_MS } from './audio-format';
import type { Stored } from './audio-store';
import { LiveCloseCode, readChunk, readClientMessage, type ClientMessage, type ServerMessage } from './frames';
import { Intake, type Done, type Item, type Source } from './intake';
import type { LiveIngestParts } from './live-ingest';
import { sessionOver } from './problems';
import { GOING_AWAY, NO_TOKEN, outcomeOf, type Outcome } from './outcome';
import type { Connection } from './writers';

/** Between two pings; a writer that does not answer is gone after two. Milliseconds. */
const KEEP_ALIVE_MS = 12_000;
/** What may wait for a writer that does not read its acknowledgements; bytes. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** Time to take the news that the server stops; milliseconds. */
const FAREWELL_MS = 500;

type Phase = 'opened' | 'connecting' | 'ready' | 'closed';

/** The server's side of one writer's WebSocket: `start`, `ready`, then numbered chunks, acknowledged once they are stored. */
export class AudioSocket implements Source, Connection {
  private phase: Phase = 'opened';
  private intake: Intake | undefined;
  /** What a writer that could not wait has sent before `ready`; what follows stays unread. */
  private readonly early: Item[] = [];
  private startTimer: NodeJS.Timeout | undefined;
  private readonly closed: Promise<void>;

  constructor(
    private readonly socket: WebSocket,
    private readonly sessionId: string,
    private readonly parts: LiveIngestParts,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** Listens; with a token from the upgrade no `start` is needed. */
  begin(token: string | null): void {
    const { socket } = this;
    const forget = this.parts.writers.open(this);
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('error', (error) => this.parts.logger.debug({ error }, 'a live writer broke the protocol'));
    socket.once('close', () => {
      forget();
      void this.left();
    });
    keepAlive(socket, KEEP_ALIVE_MS, { pausedIsAlive: true });
    if (token !== null) return void this.connect(token);
    const message = `No "start" came within ${this.parts.startWithinMs} ms.`;
    const outcome = { closeCode: LiveCloseCode.StartTimeout, problem: { code: 'TIMEOUT', message } };
    this.startTimer = setTimeout(() => this.close(outcome), this.parts.startWithinMs);
  }

  async goAway(): Promise<void> {
    await this.intake?.leave();
    this.close(GOING_AWAY);
    const cut = setTimeout(() => this.socket.terminate(), FAREWELL_MS);
    await this.closed;
    clearTimeout(cut);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  stored({ acknowledgedSequence }: Stored): void {
    this.send({ type: 'acknowledged', sequence: acknowledgedSequence });
  }

  done(what: Done, { acknowledgedSequence }: Stored): void {
    if (what === 'flush') return this.send({ type: 'flushed' });
    this.send({ type: 'ended', acknowledgedSequence });
    if (what === 'limit') this.failed(sessionOver());
    else this.hangUp(LiveCloseCode.Done);
  }

  failed(error: unknown): void {
    const outcome = outcomeOf(error);
    if (outcome.isMasked) this.parts.logger.error({ error, sessionId: this.sessionId }, 'live audio was not stored');
    this.close(outcome);
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (this.phase === 'closed') return;
    const bytes = data as Buffer; // `binaryType` is that of `ws`: messages are Buffers
    const message = isBinary ? readChunk(bytes) : readClientMessage(bytes.toString('utf8'));
    if (message === null) return this.refuse('This message is none of the protocol, or an empty chunk.');
    if (!('type' in message)) this.take({ type: 'chunk', ...message });
    else if (message.type === 'start') this.start(message);
    else this.take(message);
  }

  private start({ token }: ClientMessage & { type: 'start' }): void {
    if (this.phase === 'opened') void this.connect(token);
    else this.refuse('"start" is sent once, and not at all with an Authorization header.');
  }

  private take(item: Item): void {
    if (this.intake) this.intake.take(item);
    else if (this.phase === 'connecting') this.early.push(item);
    else this.refuse('Send "start" first.');
  }

  private async connect(token: string): Promise<void> {
    this.phase = 'connecting';
    clearTimeout(this.startTimer);
    this.socket.pause();
    try {
      const admitted = await admit(this.parts, this.sessionId, token);
      if (this.socket.readyState !== this.socket.OPEN) {
        if (admitted) await this.parts.store.leave(admitted.writer);
        return;
      }
      if (!admitted) return this.close(NO_TOKEN);
      const { writer, stored } = admitted;
      const { acknowledgedSequence } = stored;
      const { maxChunkBytes } = writer.format;
      this.phase = 'ready';
      this.socket.resume();
      this.send({ type: 'ready', acknowledgedSequence, maxChunkBytes, maxChunkMs: MAX_CHUNK_MS });
      this.intake = new Intake(this.parts.store, writer, stored, this);
      const forget = this.parts.writers.write(this.intake);
      this.socket.once('close', forget);
      for (const item of this.early.splice(0)) this.intake.take(item);
    } catch (error) {
      this.failed(error);
    }
  }

  private refuse(message: string): void {
    this.close({ closeCode: LiveCloseCode.BadMessage, problem: { code: 'BAD_REQUEST', message } });
  }

  private send(message: ServerMessage): void {
    const { socket } = this;
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    if (socket.bufferedAmount <= MAX_UNREAD_BYTES) return;
    const problem = { code: 'CONSUMER_TOO_SLOW', message: 'Read what is acknowledged.' };
    this.close({ closeCode: LiveCloseCode.TooSlow, problem });
  }

  private close({ closeCode, problem }: Pick<Outcome, 'closeCode' | 'problem'>): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.send({ type: 'error', ...problem });
    this.hangUp(closeCode);
  }

  /** From here on the connection is read to its end, and nothing of it is taken: else the peer's close frame would not arrive. */
  private hangUp(code: LiveCloseCode): void {
    this.phase = 'closed';
    clearTimeout(this.startTimer);
    this.socket.resume();
    this.socket.close(code);
    void this.intake?.leave();
  }

  private async left(): Promise<void> {
    this.phase = 'closed';
    clearTimeout(this.startTimer);
    await this.intake?.leave();
  }
}
