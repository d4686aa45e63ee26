import type { EnvironmentReader } from '../../platform/environment';
import { DEFAULT_ACCOUNT_SETTINGS, readAccountSettings, type AccountSettings } from './accounts/account-settings';
import { NO_PROVIDERS, readOAuthSettings, type OAuthSettings } from './oauth/oauth-settings';
import { DEFAULT_PRIVACY_SETTINGS, readPrivacySettings, type PrivacySettings } from './privacy/privacy-settings';

/** What an operator may decide about accounts. */
export interface UsersSettings {
  accounts: AccountSettings;
  oauth: OAuthSettings;
  privacy: PrivacySettings;
}

/** As without any variable, in production. */
export const DEFAULT_USERS_SETTINGS: UsersSettings = {
  accounts: DEFAULT_ACCOUNT_SETTINGS,
  oauth: NO_PROVIDERS,
  privacy: DEFAULT_PRIVACY_SETTINGS,
};

/** Reads the variables of this slice; docs/operations.md lists them. */
export function readUsersSettings(reader: EnvironmentReader): UsersSettings {
  return {
    accounts: readAccountSettings(reader),
    oauth: readOAuthSettings(reader),
    privacy: readPrivacySettings(reader),
  };
}
