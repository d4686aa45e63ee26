import { EnvironmentReader } from '../../platform/environment';
import { readSpeechSettings, type SpeechSettings } from './speech-settings';

/** The environment of this process, read here and nowhere else; `runSubgraph` checks it. */
export const environment = process.env;

/** What it says of speech engines; throws one error that lists all faults. */
export function speechEnvironment(): SpeechSettings {
  const reader = new EnvironmentReader(environment);
  const settings = readSpeechSettings(reader);
  reader.check();
  return settings;
}
