import { createMailSeal } from '../../../platform/mail/mail';
import type { Platform } from '../../../platform/platform';
import type { CancelDeletion } from '../accounts/sign-in';
import type { Attempts } from '../attempts';
import type { UserRecords, UsersDatabase } from '../records';
import { AccountRequests } from './account-requests';
import { cancelDeletion } from './cancel-deletion';
import { PrivacyRecords } from './privacy-records';
import type { PrivacySettings } from './privacy-settings';

/** What the owner of an account asks for about the whole of it. */
export interface PrivacyServices {
  accountRequests: AccountRequests;
  privacyRecords: PrivacyRecords;
}

export function createPrivacy(
  { events, secret }: Pick<Platform, 'events' | 'secret'>,
  { deletionGraceMs: graceMs }: PrivacySettings,
  tools: { database: UsersDatabase; users: UserRecords; attempts: Attempts; clock: () => Date },
): PrivacyServices {
  const { database, users, attempts, clock } = tools;
  const privacyRecords = new PrivacyRecords(database);
  const mailSeal = createMailSeal(secret);
  return {
    accountRequests: new AccountRequests(privacyRecords, users, events, { attempts, mailSeal, clock, graceMs }),
    privacyRecords,
  };
}

/** What a sign-in does with an account that is to be deleted. */
export function createCancelDeletion({ events }: Pick<Platform, 'events'>, database: UsersDatabase): CancelDeletion {
  const records = new PrivacyRecords(database);
  return (tx, user, identity) => cancelDeletion({ records, events }, tx, user, identity);
}
