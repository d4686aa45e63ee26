import type { Database } from '../database/database';
import type { Seal } from '../seal';
import type { MailBody } from './mail';
import type { OutgoingMail } from './smtp';

/** A claimed mail that is neither sent nor given back for this long is claimed again: its mailer is gone. */
const LEASE_S = 300;

export interface ClaimedMail {
  id: string;
  to: string;
  subject: string;
  sealedBody: string;
  kind: string;
  /** Which attempt this is, from 1. */
  attempt: number;
}

interface ClaimedRow {
  id: string;
  recipient: string;
  subject: string;
  body: string;
  kind: string;
  attempts: number;
}

/** The mails that wait. All times are the database's, so mailers with other clocks do each other no harm. */
export class MailQueue {
  constructor(
    private readonly database: Database,
    private readonly seal: Seal,
  ) {}

  /** Takes up to `limit` mails that are due, so that no other mailer takes them; afterwards no lock is held. */
  async claim(limit: number): Promise<ClaimedMail[]> {
    const rows = await this.database.prisma.$queryRaw<ClaimedRow[]>`
      with due as materialized (
        select id from platform.mail where state = 'QUEUED' and next_attempt_at <= now()
         order by next_attempt_at limit ${limit} for update skip locked)
      update platform.mail m set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => ${LEASE_S})
        from due where m.id = due.id
      returning m.id, recipient, subject, body, kind, attempts`;
    return rows.map((row) => ({
      id: row.id,
      to: row.recipient,
      subject: row.subject,
      sealedBody: row.body,
      kind: row.kind,
      attempt: row.attempts,
    }));
  }

  /** The mail as it is sent. Throws for one that was sealed with another secret. */
  open({ id, to, subject, sealedBody }: ClaimedMail): OutgoingMail {
    return { id, to, subject, body: JSON.parse(this.seal.unseal(sealedBody)) as MailBody };
  }

  /** What it said is not kept once it was sent, or given up. */
  async finish(id: string, state: 'SENT' | 'FAILED', error: string | null): Promise<void> {
    await this.database.prisma.$executeRaw`
      update platform.mail set state = ${state}::platform.mail_state, error = ${error}, body = null, finished_at = now()
       where id = ${id}`;
  }

  async tryAgain(id: string, delayMs: number, error: string): Promise<void> {
    await this.database.prisma.$executeRaw`
      update platform.mail set error = ${error}, next_attempt_at = now() + make_interval(secs => ${delayMs / 1_000})
       where id = ${id}`;
  }

  /** Moves everything that waits to the development outbox; answers how many. */
  moveToOutbox(): Promise<number> {
    return this.database.prisma.$executeRaw`
      update platform.mail set state = 'OUTBOX', finished_at = now() where state = 'QUEUED'`;
  }
}
