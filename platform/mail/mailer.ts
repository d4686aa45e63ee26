import type { Notifications } from '../database/notifications';
import type { Logger } from '../logger';
import type { ClaimedMail, MailQueue } from './mail-queue';
import { MailNotTaken, type MailTransport } from './smtp';

const BATCH = 10;

export interface MailerTimes {
  /** Mails that are due later and lost notifications are found by looking this often; default 5 s. */
  pollMs: number;
  /** How long is waited after each attempt that failed; then the mail is given up. Default: about a day in all. */
  retryDelaysMs: readonly number[];
}

const MINUTE_MS = 60_000;
const DEFAULT_TIMES: MailerTimes = {
  pollMs: 5_000,
  retryDelaysMs: [10_000, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 120 * MINUTE_MS, 480 * MINUTE_MS, 960 * MINUTE_MS],
};

/**
 * Sends queued mails, each at least once: after a crash between the server's "taken" and our note of it a mail goes out
 * again, with the same Message-ID. Any number of mailers may run. Without a transport mails go to the development outbox.
 */
export class Mailer implements AsyncDisposable {
  private running: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private readonly timer: NodeJS.Timeout;
  private readonly unlisten: () => void;
  private readonly times: MailerTimes;

  constructor(
    private readonly queue: MailQueue,
    private readonly transport: MailTransport | null,
    notifications: Notifications,
    private readonly logger: Logger,
    times: Partial<MailerTimes> = {},
  ) {
    this.times = { ...DEFAULT_TIMES, ...times };
    this.unlisten = notifications.on('sauti_mail', () => this.wake());
    this.timer = setInterval(() => this.wake(), this.times.pollMs);
    this.wake();
  }

  /** Takes no more mails and waits for those under way: at most as long as their server may be silent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    this.unlisten();
    clearInterval(this.timer);
    await this.running;
    this.transport?.close();
  }

  private wake(): void {
    this.again = true;
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  private async run(): Promise<void> {
    while (this.again && !this.closed) {
      this.again = false;
      try {
        if (this.transport) await this.sendDue(this.transport);
        else await this.queue.moveToOutbox();
      } catch (error) {
        this.logger.warn({ error }, 'the queue of mails cannot be read or written; trying again');
        return;
      }
    }
  }

  private async sendDue(transport: MailTransport): Promise<void> {
    for (let mails = await this.queue.claim(BATCH); mails.length > 0; mails = await this.queue.claim(BATCH)) {
      await Promise.all(mails.map((mail) => this.send(transport, mail)));
      if (this.closed) return;
    }
  }

  private async send(transport: MailTransport, mail: ClaimedMail): Promise<void> {
    try {
      await transport.send(this.queue.open(mail));
    } catch (error) {
      return this.failed(mail, error);
    }
    await this.queue.finish(mail.id, 'SENT', null);
  }

  private async failed({ id, kind, attempt }: ClaimedMail, error: unknown): Promise<void> {
    const reason = error instanceof MailNotTaken ? error.message : 'INTERNAL';
    const delayMs = this.times.retryDelaysMs[attempt - 1];
    const isFinal = (error instanceof MailNotTaken && error.isFinal) || delayMs === undefined;
    if (isFinal) await this.queue.finish(id, 'FAILED', reason);
    else await this.queue.tryAgain(id, delayMs, reason);
    // Neither the address nor the server's words, which may repeat it.
    this.logger.warn({ id, kind, attempt, reason }, isFinal ? 'a mail was given up' : 'a mail will be tried again');
  }
}
