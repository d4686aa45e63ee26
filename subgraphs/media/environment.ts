import { EnvironmentReader } from '../../platform/environment';
import { readLiveSettings, type LiveSettings } from './live/live-settings';
import { readSpeechSettings, type SpeechSettings } from './speech-settings';

/** The environment of this process, read here and nowhere else; `runSubgraph` checks it. */
export const environment = process.env;

/** What it says of speech engines; throws one error that lists all faults. */
export function speechEnvironment(): SpeechSettings {
  return read(readSpeechSettings);
}

/** What it says of live sessions; throws one error that lists all faults. */
export function liveEnvironment(): LiveSettings {
  return read(readLiveSettings);
}

function read<Settings>(readSettings: (reader: EnvironmentReader) => Settings): Settings {
  const reader = new EnvironmentReader(environment);
  const settings = readSettings(reader);
  reader.check();
  return settings;
}
