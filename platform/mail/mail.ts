import type { PlatformTransaction } from '../database/database';
import { newId } from '../ids';
import { createSeal, type Seal } from '../seal';

/** A mail that is to be sent. */
export interface Mail {
  /** One address, already checked; never a list. */
  to: string;
  /** Why it is written, e.g. `password.reset`; for logs and for whoever looks why a mail did not come. */
  kind: string;
  /** One line. What users have written does not belong here. */
  subject: string;
  text: string;
  html?: string;
}

/** What is kept sealed of a mail: it may hold links that let people in. */
export interface MailBody {
  text: string;
  html?: string;
}

/** Seals the bodies of mails between the process that writes them and the worker that sends them. */
export function createMailSeal(secret: string): Seal {
  return createSeal(secret, 'mail');
}

/**
 * Queues a mail in the transaction of what it tells: it is sent by a worker once that commits, and never when it does not.
 * Throws when the address or the subject could be read as more than one line of a header.
 */
export async function queueMail(tx: PlatformTransaction, seal: Seal, mail: Mail): Promise<void> {
  if (/[\p{Cc}\u2028\u2029]/u.test(mail.to + mail.subject)) throw new Error('A mail header must be one line of text.');
  const body: MailBody = { text: mail.text, ...(mail.html === undefined ? {} : { html: mail.html }) };
  await tx.mail.create({
    data: {
      id: newId('mal'),
      recipient: mail.to,
      subject: mail.subject,
      kind: mail.kind,
      body: seal.seal(JSON.stringify(body)),
    },
  });
}
