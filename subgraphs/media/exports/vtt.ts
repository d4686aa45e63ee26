import { clockTime } from './clock';
import type { Cue } from './cues';

/** WebVTT (W3C Candidate Recommendation, §4.2). With `words` each word is marked with the moment it is said. */
export function toVtt(cues: readonly Cue[], { words }: { words: boolean }): string {
  const blocks = cues.map((cue) => {
    const times = `${clockTime(cue.startMs, '.')} --> ${clockTime(cue.endMs, '.')}`;
    const voice = cue.voice === null ? '' : `<v ${escapeText(cue.voice)}>`;
    const lines = words ? linesWithTimes(cue) : cue.lines.map(escapeText);
    return `${times}\n${voice}${lines.join('\n')}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** Only moments inside the cue, each later than the one before, are allowed (§4.2.2, cue timestamp). */
function linesWithTimes({ startMs, endMs, lines, words }: Cue): string[] {
  let next = 0;
  let lastMs = startMs;
  const withTime = (text: string): string => {
    const word = words[next++];
    if (!word || word.startMs <= lastMs || word.startMs >= endMs) return escapeText(text);
    lastMs = word.startMs;
    return `<${clockTime(word.startMs, '.')}>${escapeText(text)}`;
  };
  return lines.map((line) => line.split(' ').map(withTime).join(' '));
}

/** With `>` escaped no text can hold `-->`. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
