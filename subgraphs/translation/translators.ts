import { ApertiumTranslator } from './translator/apertium';
import type { Translator } from './translator/translator';

/** Debian's place, then that of a build from source. */
const APERTIUM_MODES = ['/usr/share/apertium/modes', '/usr/local/share/apertium/modes'];

/** The translation engines of this installation, best first. They start nothing before their first text; the caller disposes them. */
export function createTranslators(): Translator[] {
  return [new ApertiumTranslator({ modeDirectories: APERTIUM_MODES })];
}
