import { clockTime } from './clock';
import type { Cue } from './cues';

/** WebVTT (W3C Candidate Recommendation, §4.2). */
export function toVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(({ startMs, endMs, lines }) => {
    const times = `${clockTime(startMs, '.')} --> ${clockTime(endMs, '.')}`;
    return `${times}\n${lines.map(escapeText).join('\n')}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** With `>` escaped no text can hold `-->`. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
