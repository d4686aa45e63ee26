import type { Mail } from '../../../platform/mail/mail';
import { greeting } from '../accounts/account-mails';
import { layoutMail } from '../accounts/mail-layout';
import { inUtc } from '../in-utc';
import type { UserRow } from '../records';

/** Tells an account's owner, who may not be the one who asked, when it will be deleted and how to stop that. */
export function deletionAskedMail(user: UserRow, deletesAt: Date): Mail {
  return {
    to: user.email,
    kind: 'account.deletionAsked',
    subject: 'Your account will be deleted',
    ...layoutMail({
      paragraphs: [
        greeting(user),
        `you have asked us to delete your account. On ${inUtc(deletesAt)} it will be deleted with everything in it.`,
        'All devices are signed out, and keys for programs are revoked.',
        'If you change your mind, sign in before that: then nothing is deleted.',
      ],
      footnote: 'If it was not you, sign in before that and change your password.',
    }),
  };
}

/** The last thing an account's owner hears of us. */
export function deletedMail(user: UserRow): Mail {
  return {
    to: user.email,
    kind: 'account.deleted',
    subject: 'Your account has been deleted',
    ...layoutMail({ paragraphs: [greeting(user), 'your account and everything in it have been deleted. Good-bye!'] }),
  };
}
