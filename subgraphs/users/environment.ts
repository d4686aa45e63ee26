import { EnvironmentReader, type Env } from '../../platform/environment';
import { readUsersSettings, type UsersSettings } from './users-settings';

/** The environment of this process, read here and nowhere else; `runSubgraph` checks it. */
export const processEnvironment: Env = process.env;

/** What it says of accounts; throws one error that lists all faults. */
export function usersEnvironment(): UsersSettings {
  const reader = new EnvironmentReader(processEnvironment);
  const settings = readUsersSettings(reader);
  reader.check();
  return settings;
}
