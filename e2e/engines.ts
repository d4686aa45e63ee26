import { existsSync } from 'node:fs';
import { goldenSpeechMissing } from '../platform/testing/golden-speech';
import { describeWhenInstalled } from '../platform/testing/installed';
import { MODES, type Mode } from './system';

/** What a story with speech and translation needs, and the Debian packages that bring it. */
const NEEDED: readonly [path: string, install: string][] = [
  ['/usr/bin/ffmpeg', 'ffmpeg'],
  ['/usr/share/pocketsphinx/model/en-us', 'libpocketsphinx3 pocketsphinx-en-us'],
  ['/usr/share/apertium/modes/eng-spa.mode', 'apertium apertium-eng-spa'],
];

/** Tells a story in both process modes, where the engines are installed (see `describeWhenInstalled`). */
export function describeInBothModes(title: string, tell: (mode: Mode) => void): void {
  for (const mode of MODES) describeWhenInstalled(enginesMissing(), `${title}, ${mode}`, () => tell(mode));
}

export function enginesMissing(): string | null {
  const missing = NEEDED.filter(([path]) => !existsSync(path)).map(
    ([path, install]) => `${path} is not here. Install it with: apt-get install ${install}`,
  );
  return [goldenSpeechMissing(), ...missing].filter((reason) => reason !== null).join('\n') || null;
}
