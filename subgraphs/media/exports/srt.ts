import { clockTime } from './clock';
import type { Cue } from './cues';

/**
 * SubRip. The format has no escapes: an arrow inside a text, which players read as times, becomes another arrow, and what
 * they would take for a tag (`<i>`) or a style (`{\an8}`) is kept apart by a word joiner (U+2060), which is not seen.
 */
export function toSrt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ startMs, endMs, lines }, index) => {
    const times = `${clockTime(startMs, ',')} --> ${clockTime(endMs, ',')}`;
    return `${index + 1}\n${times}\n${lines.map(withoutMarkup).join('\n')}\n`;
  });
  return blocks.join('\n');
}

function withoutMarkup(line: string): string {
  return line.replaceAll('-->', '→').replace(/<(?=[/a-z])|\{(?=\s*[\\a-z])/gi, '$&\u2060');
}
