import type { Platform } from '../platform';
import { createMailSeal } from './mail';
import { MailQueue } from './mail-queue';
import type { MailSettings } from './mail-settings';
import { Mailer } from './mailer';
import { createSmtpTransport } from './smtp';

/** Sends queued mails as the settings say, until it is disposed. */
export function startMailer(platform: Platform, { smtpUrl, from }: MailSettings): Mailer {
  const queue = new MailQueue(platform.database, createMailSeal(platform.secret));
  const transport = smtpUrl === null ? null : createSmtpTransport({ smtpUrl, from });
  return new Mailer(queue, transport, platform.notifications, platform.logger);
}
