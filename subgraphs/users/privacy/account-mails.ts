import type { Mail } from '../../../platform/mail/mail';
import type { UserRow } from '../records';

/** Tells an account's owner, who may not be the one who asked, when it will be deleted and how to stop that. */
export function deletionAskedMail({ email, displayName }: UserRow, deletesAt: Date): Mail {
  const when = deletesAt.toISOString().slice(0, 16).replace('T', ' at ');
  return {
    to: email,
    kind: 'account.deletionAsked',
    subject: 'Your account will be deleted',
    text: [
      `Hello ${displayName},`,
      `you have asked us to delete your account. On ${when} UTC it will be deleted with everything in it.`,
      'All devices are signed out, and keys for programs are revoked.',
      'If you change your mind, or if it was not you, sign in before that: then nothing is deleted. If it was not you, change your password, too.',
    ].join('\n\n'),
  };
}

/** The last thing an account's owner hears of us. */
export function deletedMail({ email, displayName }: Pick<UserRow, 'email' | 'displayName'>): Mail {
  return {
    to: email,
    kind: 'account.deleted',
    subject: 'Your account has been deleted',
    text: [`Hello ${displayName},`, 'your account and everything in it have been deleted. Good-bye!'].join('\n\n'),
  };
}
