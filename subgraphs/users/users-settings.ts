import type { EnvironmentReader } from '../../platform/environment';
import { DEFAULT_ACCOUNT_SETTINGS, readAccountSettings, type AccountSettings } from './accounts/account-settings';

/** What an operator may decide about accounts. */
export interface UsersSettings {
  accounts: AccountSettings;
}

/** As without any variable, in production. */
export const DEFAULT_USERS_SETTINGS: UsersSettings = { accounts: DEFAULT_ACCOUNT_SETTINGS };

/** Reads the variables of this slice; docs/operations.md lists them. */
export function readUsersSettings(reader: EnvironmentReader): UsersSettings {
  return { accounts: readAccountSettings(reader) };
}
