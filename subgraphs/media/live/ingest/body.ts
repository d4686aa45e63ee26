import type { IncomingMessage } from 'node:http';
import { SautiError } from '../../../../platform/errors';
import type { Admitted } from './admission';
import type { Stored } from './audio-store';
import { Intake, type Done, type Source } from './intake';
import type { LiveIngestParts } from './live-ingest';
import { GOING_AWAY } from './outcome';
import { sessionOver } from './problems';
import { wholeSamples } from './whole-samples';
import type { Connection } from './writers';

/**
 * The audio in the body of one request: cut where it comes apart on its way, into chunks that we number ourselves. Bytes that
 * have arrived are stored however the request ends; only then `settled` is.
 */
export class AudioBody implements Source, Connection {
  /** Fulfilled behind the last byte; rejects for a body that is not taken to its end. */
  private readonly settled: Promise<Stored>;
  private readonly intake: Intake;
  private readonly cut: ReturnType<typeof wholeSamples>;
  private sequence: number;
  private hasEnded = false;
  private idle: NodeJS.Timeout | undefined;
  private fulfil!: (stored: Stored) => void;
  private reject!: (error: unknown) => void;

  constructor(
    private readonly parts: LiveIngestParts,
    private readonly request: IncomingMessage,
    { writer, stored }: Admitted,
    private readonly endsSession: boolean,
  ) {
    this.settled = new Promise((fulfil, reject) => Object.assign(this, { fulfil, reject }));
    this.cut = wholeSamples(writer.format);
    this.sequence = stored.acknowledgedSequence;
    this.intake = new Intake(parts.store, writer, stored, this);
  }

  /** Begins to read; the intake is the session's writer until the answer is known. */
  begin(): Promise<Stored> {
    const { request, parts, intake } = this;
    const forget = [parts.writers.open(this), parts.writers.write(intake)];
    const receive = (piece: Buffer): void => this.receive(piece);
    request.on('data', receive);
    request.once('end', () => this.finish());
    request.on('error', () => {}); // told by `close`
    request.once('close', () => void this.breakOff());
    if (request.destroyed) void this.breakOff();
    else this.waitForMore();
    return this.settled.finally(async () => {
      request.off('data', receive);
      clearTimeout(this.idle);
      forget.forEach((release) => release());
      await intake.leave();
    });
  }

  /** How far the session has got. */
  get last(): Stored {
    return this.intake.last;
  }

  async goAway(): Promise<void> {
    await this.intake.leave();
    this.reject(new SautiError('SUBGRAPH_UNAVAILABLE', GOING_AWAY.problem.message));
  }

  pause(): void {
    clearTimeout(this.idle);
    this.request.pause();
  }

  resume(): void {
    this.waitForMore();
    this.request.resume();
  }

  stored(): void {
    // An answer comes when everything has been stored.
  }

  done(what: Done, stored: Stored): void {
    if (what === 'limit') this.reject(sessionOver());
    else this.fulfil(stored);
  }

  failed(error: unknown): void {
    this.reject(error);
  }

  private receive(piece: Buffer): void {
    this.waitForMore();
    for (const bytes of this.cut.next(piece)) this.take(bytes);
  }

  private take(bytes: Buffer): void {
    this.intake.take({ type: 'chunk', sequence: ++this.sequence, bytes });
  }

  private finish(): void {
    this.hasEnded = true;
    clearTimeout(this.idle);
    const half = this.cut.rest();
    if (half.length > 0) this.take(half); // is refused, behind everything before it
    this.intake.take({ type: this.endsSession ? 'end' : 'mark' });
  }

  /** A client that leaves behind its last byte no longer cancels anything. */
  private async breakOff(): Promise<void> {
    if (this.hasEnded) return;
    await this.intake.leave();
    this.reject(new SautiError('TIMEOUT', 'The connection broke off.'));
  }

  private waitForMore(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.giveUp(), this.parts.bodyIdleMs);
  }

  private giveUp(): void {
    const message = `Nothing came for ${this.parts.bodyIdleMs} ms. Send the rest in another request.`;
    void this.intake.leave().then(() => this.reject(new SautiError('TIMEOUT', message)));
  }
}
