import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Why PocketSphinx cannot be tested here, or null. Found without the code under test: its own probe must not decide. */
export function pocketSphinxMissing(): string | null {
  try {
    const koffi = createRequire(__filename)('koffi') as { load(name: string): { unload(): void } };
    koffi.load('libpocketsphinx.so.3').unload();
  } catch (error) {
    return `PocketSphinx cannot be loaded: ${String(error)}. Install it with: apt-get install libpocketsphinx3`;
  }
  const model = '/usr/share/pocketsphinx/model/en-us/en-us.lm.bin';
  return existsSync(model) ? null : `${model} is not here. Install it with: apt-get install pocketsphinx-en-us`;
}
