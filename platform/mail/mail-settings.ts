import type { EnvironmentReader } from '../environment';

export interface MailSettings {
  /** `smtp://user:password@host:port` or `smtps://…`; null: mails go to the development outbox. */
  smtpUrl: string | null;
  /** The sender: an address, or `Name <address>`. */
  from: string;
}

/** Without SMTP nothing is sent, and the outbox shows this sender. */
const DEFAULT_FROM = 'Sauti <sauti@localhost>';

/** Reads SMTP_URL and MAIL_FROM, which the first needs. */
export function readMailSettings(reader: EnvironmentReader): MailSettings {
  const smtpUrl = reader.url('SMTP_URL', ['smtp:', 'smtps:']);
  const from = reader.text('MAIL_FROM');
  if (smtpUrl !== null && from === null)
    reader.fault('MAIL_FROM must be set where SMTP_URL is: who the mails are from.');
  if (from !== null && !/^(?:[^<>\p{Cc}]* <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u.test(from))
    reader.fault('MAIL_FROM must be an address, or "Name <address>"; it is neither.');
  return { smtpUrl, from: from ?? DEFAULT_FROM };
}
