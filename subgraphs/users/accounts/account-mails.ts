import type { PlatformTransaction } from '../../../platform/database/database';
import { queueMail } from '../../../platform/mail/mail';
import type { Seal } from '../../../platform/seal';
import type { UserRow } from '../records';
import { layoutMail, type MailParts } from './mail-layout';

/** Where links of mails lead, below the base address; tokens are behind the `#`, which no server and no log sees. */
const VERIFY_PATH = '/verify-email';
const RESET_PATH = '/reset-password';

/** What an account's owner is told by mail, in case it was not they who did it. */
export interface Notice {
  subject: string;
  /** Plain text, one sentence or two. */
  text: string;
}

/** The mails about accounts, in English. Links begin with `linkBase`, which is configured: never with what a request says. */
export class AccountMails {
  constructor(
    private readonly seal: Seal,
    private readonly linkBase: () => string,
  ) {}

  /** Proves an address. Says nothing that the one who signed up has written: it may go to somebody else. */
  verification(tx: PlatformTransaction, email: string, token: string): Promise<void> {
    return this.queue(tx, email, 'email.verification', 'Verify your e-mail address', {
      paragraphs: ['Hello,', 'please confirm that this is your e-mail address. The link works for a day.'],
      link: { label: 'Verify this address', url: this.link(VERIFY_PATH, token) },
      footnote: 'If you did not sign up, ignore this mail: without the link the address is not yours to use there.',
    });
  }

  /** To the new address of an account. */
  newAddress(tx: PlatformTransaction, email: string, token: string): Promise<void> {
    return this.queue(tx, email, 'email.change', 'Confirm your new e-mail address', {
      paragraphs: [
        'Hello,',
        'please confirm that this is the new e-mail address of your account. The link works for a day.',
      ],
      link: { label: 'Use this address', url: this.link(VERIFY_PATH, token) },
      footnote: 'If you did not ask for this, ignore this mail: nothing changes.',
    });
  }

  /** To the old address of an account, whose owner may not be the one who changed it. */
  addressChanged(tx: PlatformTransaction, user: UserRow): Promise<void> {
    return this.queue(tx, user.email, 'email.changed', 'The e-mail address of your account was changed', {
      paragraphs: [
        greeting(user),
        'your account has another e-mail address now. No more mails about it will come to this one, and links that were sent to it do not work any more.',
      ],
      footnote: 'If it was not you, ask those who run this service for help at once.',
    });
  }

  /** To the owner of an address that another account wants. */
  addressTaken(tx: PlatformTransaction, { email }: UserRow): Promise<void> {
    return this.queue(tx, email, 'email.taken', 'Your e-mail address was given for another account', {
      paragraphs: [
        'Hello,',
        'somebody has asked to use this e-mail address for another account. An address can have one account only, and it has yours, so nothing was changed.',
        'If it was you, change the address of this account first.',
      ],
    });
  }

  /** To the owner of an address with which somebody has signed up again. */
  accountExists(tx: PlatformTransaction, user: UserRow, resetToken: string): Promise<void> {
    return this.queue(tx, user.email, 'account.exists', 'You have an account already', {
      paragraphs: [
        greeting(user),
        'somebody, probably you, has tried to sign up with this e-mail address. You have an account already: just sign in.',
        'If you do not know your password any more, set a new one. The link works for an hour.',
      ],
      link: { label: 'Set a new password', url: this.link(RESET_PATH, resetToken) },
      footnote: 'If it was not you, ignore this mail: nothing changes.',
    });
  }

  passwordReset(tx: PlatformTransaction, user: UserRow, token: string): Promise<void> {
    return this.queue(tx, user.email, 'password.reset', 'Set a new password', {
      paragraphs: [greeting(user), 'you can set a new password with this link. It works once, within an hour.'],
      link: { label: 'Set a new password', url: this.link(RESET_PATH, token) },
      footnote: 'If you did not ask for this, ignore this mail: your password stays as it is.',
    });
  }

  /** Something about the account's security that its owner should know. */
  notice(tx: PlatformTransaction, user: UserRow, { subject, text }: Notice): Promise<void> {
    return this.queue(tx, user.email, 'security.notice', subject, {
      paragraphs: [greeting(user), text],
      footnote: 'If it was not you, set a new password at once and look at the list of your sessions.',
    });
  }

  private queue(tx: PlatformTransaction, to: string, kind: string, subject: string, parts: MailParts): Promise<void> {
    return queueMail(tx, this.seal, { to, kind, subject, ...layoutMail(parts) });
  }

  private link(path: string, token: string): string {
    return `${this.linkBase().replace(/\/+$/, '')}${path}#token=${token}`;
  }
}

/** By name only at an address that is proven to be that person's: our mails carry nobody's words to strangers. */
export function greeting({ displayName, emailVerifiedAt }: UserRow): string {
  return emailVerifiedAt ? `Hello ${displayName},` : 'Hello,';
}
