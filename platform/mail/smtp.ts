import { createTransport } from 'nodemailer';
import type { MailBody } from './mail';
import type { MailSettings } from './mail-settings';

const CONNECT_MS = 10_000;
/** How long a server may be silent. */
const SILENCE_MS = 30_000;
/** Connections at once; more mails wait. */
const CONNECTIONS = 3;

export interface OutgoingMail {
  /** The mail's `mal_…`: a mail that is sent twice after a crash is one mail to servers that look at Message-ID. */
  id: string;
  to: string;
  subject: string;
  body: MailBody;
}

/** Takes mails to their next server. */
export interface MailTransport {
  /** Resolves when the server has taken the mail. Throws {@link MailNotTaken}. */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

/** Why the server did not take a mail, in words that hold no address and no secret. */
export class MailNotTaken extends Error {
  constructor(
    message: string,
    /** Whether trying again cannot help: the server refused this recipient or this mail (SMTP 5xx, RFC 5321 §4.2.1). */
    readonly isFinal: boolean,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'MailNotTaken';
  }
}

/** SMTP by nodemailer. `STARTTLS` is used where the server offers it; `?requireTLS=true` in the URL demands it. */
export function createSmtpTransport({ smtpUrl, from }: { smtpUrl: string; from: string }): MailTransport {
  const transport = createTransport(
    {
      url: smtpUrl,
      pool: true,
      maxConnections: CONNECTIONS,
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      // Nothing in a mail makes the mailer read a file or fetch an address.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    // RFC 3834: no machine answers it.
    { from, headers: { 'Auto-Submitted': 'auto-generated' } },
  );
  return {
    async send({ id, to, subject, body }) {
      try {
        await transport.sendMail({
          messageId: `<${id}@${domainOf(from)}>`,
          // As an object it is one address, whatever is in it; as text it would be parsed as a list.
          to: { name: '', address: to },
          subject,
          ...body,
        });
      } catch (error) {
        throw notTaken(error);
      }
    },
    close: () => transport.close(),
  };
}

function domainOf(from: MailSettings['from']): string {
  return from.slice(from.lastIndexOf('@') + 1).replace(/>$/, '');
}

function notTaken(error: unknown): MailNotTaken {
  const { code = 'UNKNOWN', responseCode } = error as { code?: string; responseCode?: number };
  const isFinal = responseCode !== undefined && responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
  return new MailNotTaken(`${code}${responseCode === undefined ? '' : ` ${responseCode}`}`, isFinal, { cause: error });
}
