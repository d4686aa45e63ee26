import type { Mail } from '../../../platform/mail/mail';
import { greeting } from '../accounts/account-mails';
import { layoutMail } from '../accounts/mail-layout';
import { inUtc } from '../in-utc';
import type { UserRow } from '../records';

/** Tells the owner of an account why it cannot be used, and until when. */
export function suspensionMail(user: UserRow): Mail {
  const { suspensionReason, suspensionEndsAt } = user;
  const end = suspensionEndsAt
    ? `The suspension ends by itself on ${inUtc(suspensionEndsAt)}.`
    : 'The suspension does not end by itself.';
  return {
    to: user.email,
    kind: 'account.suspended',
    subject: 'Your account has been suspended',
    ...layoutMail({
      paragraphs: [
        greeting(user),
        'an administrator has suspended your account. All devices are signed out, and keys for programs are revoked.',
        `The reason: ${suspensionReason}`,
        end,
      ],
    }),
  };
}
