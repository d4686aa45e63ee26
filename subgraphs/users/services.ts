import type { Platform } from '../../platform/platform';
import { choosePlan } from '../../platform/credits/plans';
import { createAccounts } from './accounts/create-accounts';
import { SignIns, type EndAllSessions } from './accounts/sign-in';
import { createAdministration } from './administration/create-administration';
import { Attempts } from './attempts';
import type { UsersServices } from './context';
import { CreditGrants } from './credits/credit-grants';
import { CreditRecords } from './credits/credit-records';
import { Credits } from './credits/credits';
import { signingKeySeal, SigningKeys } from './keys/signing-keys';
import { createOAuth } from './oauth/create-oauth';
import { createCancelDeletion, createPrivacy } from './privacy/create-privacy';
import { Preferences } from './profile/preferences';
import { ProfileRecords } from './profile/profile-records';
import { Profiles } from './profile/profiles';
import { ViewerChanges } from './profile/viewer-changes';
import { UserRecords, USERS_MODELS } from './records';
import { Sessions } from './sessions/sessions';
import type { UsersSettings } from './users-settings';

/** The rules of this slice, each with what it needs of the others. */
export function createServices(
  platform: Platform,
  settings: UsersSettings,
  clock: () => Date,
): { services: UsersServices; keys: SigningKeys } {
  const database = platform.database.slice(USERS_MODELS);
  const records = new UserRecords(database);
  const keys = new SigningKeys(records, signingKeySeal(platform.secret), clock, platform.logger);
  const sessions = new Sessions(records, keys, platform.events, platform.secret, clock);
  const attempts = new Attempts(records, platform.secret, clock);
  const cancelDeletion = createCancelDeletion(platform, database);
  const signIns = new SignIns(sessions, { challenge: async () => null }, cancelDeletion, clock);
  const endAllSessions: EndAllSessions = (tx, userId, except, identity) =>
    sessions.endOf(tx, userId, except === null ? 'all' : { not: except }, identity);
  const shared = { database, users: records, attempts, signIns, endAllSessions, clock };
  const accounts = createAccounts(platform, settings.accounts, shared);
  const profileRecords = new ProfileRecords(database);
  const creditRecords = new CreditRecords(database);
  const services: UsersServices = {
    clock,
    records,
    sessions,
    ...accounts,
    ...createOAuth(platform, settings.oauth, { records, signIns, mails: accounts.accountMails, clock }),
    profileRecords,
    profiles: new Profiles(profileRecords, platform.events, clock),
    preferences: new Preferences(profileRecords, platform.events, clock),
    viewerChanges: new ViewerChanges(profileRecords, platform.events),
    credits: new Credits(creditRecords),
    creditGrants: new CreditGrants(creditRecords, platform.events),
    ...createAdministration(platform, { database, choosePlan, clock }),
    ...createPrivacy(platform, settings.privacy, shared),
  };
  return { services, keys };
}
