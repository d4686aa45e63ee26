import type { SegmentRow } from '../records';
import { layOut, lengthOf, LINE_LENGTH, LINES } from './lines';
import { timedWords, type TimedWord } from './timed-words';

/** What is shown on screen, and when; milliseconds from the start of the recording. */
export interface Cue {
  startMs: number;
  endMs: number;
  /** One or two. */
  lines: string[];
}

// Common broadcast practice, as in the BBC Subtitle Guidelines and Netflix's Timed Text Style Guide.
export const MIN_CUE_MS = 1_000;
export const MAX_CUE_MS = 7_000;
export const MAX_CHARACTERS_PER_SECOND = 20;

/**
 * Cuts segments into cues of at most 2 lines of 42 characters and 7 s, between words. A cue stays longer than its speech
 * where that makes it readable (1 s, 20 characters per second) and the next one leaves room. Cues never overlap, and
 * follow each other in time.
 */
export function makeCues(segments: readonly Pick<SegmentRow, 'text' | 'startMs' | 'endMs' | 'words'>[]): Cue[] {
  const spoken = segments.flatMap((segment) => groupWords(timedWords(segment)));
  return placeInTime(spoken.sort((one, other) => one.startMs - other.startMs));
}

/** Characters per second; more than {@link MAX_CHARACTERS_PER_SECOND} are hard to read. */
export function readingSpeed({ lines, startMs, endMs }: Cue): number {
  return (lengthOf(lines.join(' ')) * 1_000) / (endMs - startMs);
}

function groupWords(words: readonly TimedWord[]): Cue[] {
  const groups: TimedWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    if (group && fits([...group, word])) group.push(word);
    else groups.push([word]);
  }
  rejoinStub(groups);
  return groups.map((group) => ({
    startMs: group[0]!.startMs,
    endMs: group.at(-1)!.endMs,
    lines: layOut(textOf(group))!,
  }));
}

function fits(group: readonly TimedWord[]): boolean {
  const text = textOf(group);
  if (lengthOf(text) > LINE_LENGTH * LINES + 1 || layOut(text) === null) return false;
  return group.at(-1)!.endMs - group[0]!.startMs <= MAX_CUE_MS;
}

/** A last cue that is over in less than a second takes words from the one before it, half of the two at most. */
function rejoinStub(groups: TimedWord[][]): void {
  const last = groups.at(-1);
  const before = groups.at(-2);
  if (!last || !before) return;
  while (last.at(-1)!.endMs - last[0]!.startMs < MIN_CUE_MS && before.length > last.length + 1) {
    const moved = [before.at(-1)!, ...last];
    if (!fits(moved)) return;
    last.unshift(before.pop()!);
  }
}

function placeInTime(spoken: readonly Cue[]): Cue[] {
  let earliestMs = 0;
  return spoken.map((cue, index) => {
    const startMs = Math.max(cue.startMs, earliestMs);
    const next = spoken[index + 1];
    const readMs = Math.ceil((lengthOf(cue.lines.join(' ')) * 1_000) / MAX_CHARACTERS_PER_SECOND);
    const wantedMs = Math.max(cue.endMs, startMs + MIN_CUE_MS, startMs + readMs);
    const latestMs = Math.min(startMs + MAX_CUE_MS, next?.startMs ?? Infinity);
    const endMs = Math.max(Math.min(wantedMs, latestMs), startMs + 1);
    earliestMs = endMs;
    return { ...cue, startMs, endMs };
  });
}

function textOf(words: readonly TimedWord[]): string {
  return words.map((word) => word.text).join(' ');
}
