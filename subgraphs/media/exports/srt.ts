import { clockTime } from './clock';
import type { Cue } from './cues';

/** SubRip. The format has no escapes, so an arrow inside a text, which players read as times, becomes another arrow. */
export function toSrt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ startMs, endMs, lines }, index) => {
    const times = `${clockTime(startMs, ',')} --> ${clockTime(endMs, ',')}`;
    return `${index + 1}\n${times}\n${lines.join('\n').replaceAll('-->', '→')}\n`;
  });
  return blocks.join('\n');
}
