import type { Mail } from '../../../platform/mail/mail';
import type { UserRow } from '../records';

/** Tells the owner of an account why it cannot be used, and until when. */
export function suspensionMail({ email, displayName, suspensionReason, suspensionEndsAt }: UserRow): Mail {
  const end = suspensionEndsAt
    ? `The suspension ends by itself on ${suspensionEndsAt.toISOString().slice(0, 16).replace('T', ' at ')} UTC.`
    : 'The suspension does not end by itself.';
  return {
    to: email,
    kind: 'account.suspended',
    subject: 'Your account has been suspended',
    text: [
      `Hello ${displayName},`,
      'an administrator has suspended your account. All devices are signed out, and keys for programs are revoked.',
      `The reason: ${suspensionReason}`,
      end,
    ].join('\n\n'),
  };
}
