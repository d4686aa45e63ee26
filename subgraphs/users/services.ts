import { choosePlan } from '../../platform/credits/plans';
import type { VerifyApiKey } from '../../platform/identity/api-key';
import { createMailSeal } from '../../platform/mail/mail';
import type { Platform } from '../../platform/platform';
import { AccountMails } from './accounts/account-mails';
import { createAccounts } from './accounts/create-accounts';
import { SignIns, type EndAllSessions } from './accounts/sign-in';
import { createAdministration } from './administration/create-administration';
import { createApiKeys } from './api-keys/create-api-keys';
import { Attempts } from './attempts';
import type { UsersServices } from './context';
import { CreditGrants } from './credits/credit-grants';
import { CreditRecords } from './credits/credit-records';
import { Credits } from './credits/credits';
import { createFactors } from './factors/create-factors';
import { signingKeySeal, SigningKeys } from './keys/signing-keys';
import { createOAuth } from './oauth/create-oauth';
import { createCancelDeletion, createPrivacy } from './privacy/create-privacy';
import { Preferences } from './profile/preferences';
import { ProfileRecords } from './profile/profile-records';
import { Profiles } from './profile/profiles';
import { ViewerChanges } from './profile/viewer-changes';
import { UserRecords, USERS_MODELS } from './records';
import { SecurityTrail } from './security-trail';
import { Sessions } from './sessions/sessions';
import type { UsersSettings } from './users-settings';

/** The rules of this slice, each with what it needs of the others. */
export function createServices(
  platform: Platform,
  settings: UsersSettings,
  clock: () => Date,
): { services: UsersServices; keys: SigningKeys; verifyApiKey: VerifyApiKey } {
  const { events, secret } = platform;
  const database = platform.database.slice(USERS_MODELS);
  const records = new UserRecords(database);
  const keys = new SigningKeys(records, signingKeySeal(secret), clock, platform.logger);
  const sessions = new Sessions(records, keys, events, secret, clock);
  const attempts = new Attempts(records, secret, clock);
  const { appUrl } = settings.accounts;
  const accountMails = new AccountMails(createMailSeal(secret), () => appUrl ?? platform.publicUrl());
  const trail = new SecurityTrail(events, accountMails);
  const security = { database, records, attempts, trail, events, secret, clock };
  const { challenges, mfaSignIn, ...factors } = createFactors(security);
  const { apiKeys, verifyApiKey } = createApiKeys(security);
  const signIns = new SignIns(sessions, challenges, createCancelDeletion(platform, database), clock);
  const endAllSessions: EndAllSessions = (tx, userId, except, identity) =>
    sessions.endOf(tx, userId, except === null ? 'all' : { not: except }, identity);
  const shared = { database, users: records, attempts, signIns, endAllSessions, accountMails, clock };
  const accounts = createAccounts(platform, settings.accounts, shared);
  const profileRecords = new ProfileRecords(database);
  const creditRecords = new CreditRecords(database);
  const services: UsersServices = {
    clock,
    records,
    sessions,
    ...accounts,
    ...factors,
    mfaSignIn: mfaSignIn(signIns),
    apiKeys,
    ...createOAuth(platform, settings.oauth, { records, signIns, mails: accountMails, clock }),
    profileRecords,
    profiles: new Profiles(profileRecords, events, clock),
    preferences: new Preferences(profileRecords, events, clock),
    viewerChanges: new ViewerChanges(profileRecords, events),
    credits: new Credits(creditRecords),
    creditGrants: new CreditGrants(creditRecords, events),
    ...createAdministration(platform, { database, choosePlan, clock }),
    ...createPrivacy(platform, settings.privacy, shared),
  };
  return { services, keys, verifyApiKey };
}
