import type { Platform } from '../../../platform/platform';
import { createSeal } from '../../../platform/seal';
import type { AccountMails } from '../accounts/account-mails';
import type { SignIns } from '../accounts/sign-in';
import { USERS_MODELS, type UserRecords } from '../records';
import { Identities } from './identities';
import { IdentityProvider } from './identity-provider';
import { IdentityRecords } from './identity-records';
import { OAuth } from './oauth';
import { OAuthStates } from './oauth-states';
import type { OAuthSettings } from './oauth-settings';

/** Signing in with identity providers, from what the operator has set up. It asks no provider before somebody signs in there. */
export function createOAuth(
  { database, events, logger, secret }: Platform,
  { providers: settings, redirectUris }: OAuthSettings,
  parts: { records: UserRecords; signIns: SignIns; mails: AccountMails; clock: () => Date },
): { oauth: OAuth; identityRecords: IdentityRecords } {
  const providers = new Map(settings.map((one) => [one.id, new IdentityProvider(one, logger)]));
  const identityRecords = new IdentityRecords(database.slice(USERS_MODELS));
  const identities = new Identities({ ...parts, records: identityRecords, events, providers });
  const states = new OAuthStates(parts.records, createSeal(secret, 'oauth-state'), parts.clock);
  return { oauth: new OAuth({ ...parts, providers, redirectUris, identities, states }), identityRecords };
}
