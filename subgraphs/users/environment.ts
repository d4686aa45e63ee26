import { EnvironmentReader, type Env } from '../../platform/environment';
import { readPrivacySettings, type PrivacySettings } from './privacy/privacy-settings';

/** The environment of this process, read here and nowhere else; `runSubgraph` checks it. */
export const processEnvironment: Env = process.env;

/** What it says of the deletion of accounts; throws one error that lists all faults. */
export function privacyEnvironment(): PrivacySettings {
  const reader = new EnvironmentReader(processEnvironment);
  const settings = readPrivacySettings(reader);
  reader.check();
  return settings;
}
