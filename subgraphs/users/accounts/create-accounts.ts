import type { Platform } from '../../../platform/platform';
import type { Attempts } from '../attempts';
import type { UserRecords, UsersDatabase } from '../records';
import type { AccountMails } from './account-mails';
import { AccountRecords } from './account-records';
import type { AccountSettings } from './account-settings';
import { Accounts } from './accounts';
import { EmailChange } from './email-change';
import { EmailVerification } from './email-verification';
import { PasswordChange } from './password-change';
import { PasswordReset } from './password-reset';
import { PasswordSignIn } from './password-sign-in';
import type { EndAllSessions, SignIns } from './sign-in';

export interface AccountServices {
  accounts: Accounts;
  passwordSignIn: PasswordSignIn;
  emailVerification: EmailVerification;
  emailChange: EmailChange;
  passwordReset: PasswordReset;
  passwordChange: PasswordChange;
  /** For notices of other features to an account's owner. */
  accountMails: AccountMails;
}

/** Everything about who may exist and who may enter with a password. */
export function createAccounts(
  platform: Platform,
  settings: AccountSettings,
  parts: {
    database: UsersDatabase;
    users: UserRecords;
    attempts: Attempts;
    signIns: SignIns;
    endAllSessions: EndAllSessions;
    accountMails: AccountMails;
    clock: () => Date;
  },
): AccountServices {
  const { requireVerifiedEmail, steadyMs, passwordCost } = settings;
  const records = new AccountRecords(parts.database);
  const mails = parts.accountMails;
  const shared = { ...parts, records, mails, events: platform.events, steadyMs, requireVerifiedEmail, passwordCost };
  const emailChange = new EmailChange(shared);
  const verification = new EmailVerification({ ...shared, changes: emailChange });
  const resets = new PasswordReset(shared);
  return {
    accounts: new Accounts({ ...shared, records: parts.users, verification, resets }),
    passwordSignIn: new PasswordSignIn({ ...shared, verification }),
    emailVerification: verification,
    emailChange,
    passwordReset: resets,
    passwordChange: new PasswordChange(shared),
    accountMails: mails,
  };
}
