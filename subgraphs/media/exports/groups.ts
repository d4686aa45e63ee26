import { fitsLayout, type Layout } from './lines';
import type { TimedWord } from './timed-words';

// Common broadcast practice, as in the BBC Subtitle Guidelines and Netflix's Timed Text Style Guide.
export const MIN_CUE_MS = 1_000;
export const MAX_CUE_MS = 7_000;

/** Words that are shown together. */
export interface Group {
  above: readonly TimedWord[];
  below: readonly TimedWord[];
  startMs: number;
  endMs: number;
}

/** Cuts a text into parts that keep to the layout and to 7 s. */
export function oneTextGroups(words: readonly TimedWord[], layout: Layout): Group[] {
  const groups: TimedWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    if (group && fits([...group, word], layout)) group.push(word);
    else groups.push([word]);
  }
  rejoinStub(groups, layout);
  return groups.map((above) => ({ above, below: [], startMs: above[0]!.startMs, endMs: above.at(-1)!.endMs }));
}

function fits(group: readonly TimedWord[], layout: Layout): boolean {
  return group.at(-1)!.endMs - group[0]!.startMs <= MAX_CUE_MS && fitsLayout(textsOf(group), layout);
}

/** A last cue that is over in less than a second takes words from the one before it, half of the two at most. */
function rejoinStub(groups: TimedWord[][], layout: Layout): void {
  const last = groups.at(-1);
  const before = groups.at(-2);
  if (!last || !before) return;
  while (last.at(-1)!.endMs - last[0]!.startMs < MIN_CUE_MS && before.length > last.length + 1) {
    const moved = [before.at(-1)!, ...last];
    if (!fits(moved, layout)) return;
    last.unshift(before.pop()!);
  }
}

export function textsOf(words: readonly TimedWord[]): string[] {
  return words.map((word) => word.text);
}
