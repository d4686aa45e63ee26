import { MAX_CUE_MS, MIN_CUE_MS, oneTextGroups, textsOf, type Group } from './groups';
import { layOut, lengthOf, type Layout } from './lines';
import type { TimedWord } from './timed-words';
import { twoTextGroups } from './two-texts';

/** What is said in one segment. */
export interface CueText {
  above: readonly TimedWord[];
  /** A second text that is shown below the first; empty for none. */
  below: readonly TimedWord[];
  /** Who says it, for formats that have a mark for that. */
  voice: string | null;
}

/** What is shown on screen, and when; milliseconds from the start of the recording. */
export interface Cue {
  startMs: number;
  endMs: number;
  lines: string[];
  /** The words of the first lines, with the times at which they are said. */
  words: readonly TimedWord[];
  voice: string | null;
  /** What a reader reads of it, in characters: the longer text, where there are two. */
  readLength: number;
  /** When its words are said; a cue may be shown later, and for longer. */
  spoken: { startMs: number; endMs: number };
}

export interface CueLimits extends Layout {
  maxCharactersPerSecond: number;
}

/**
 * Cuts texts into cues that keep to the layout and to 7 s, between words. A cue stays longer than its speech where that
 * makes it readable (1 s, the reading speed) and the next one leaves room. Cues never overlap, and follow each other in
 * time; two voices at once share the time that both take. Where a text stands below another, each of the two may fill the layout.
 */
export function makeCues(texts: readonly CueText[], limits: CueLimits): Cue[] {
  const spoken = texts.flatMap((text) => {
    const groups =
      text.below.length > 0 ? twoTextGroups(text.above, text.below, limits) : oneTextGroups(text.above, limits);
    return groups.map((group) => cueOf(group, text.voice, limits));
  });
  return placeInTime(
    spoken.sort((one, other) => one.startMs - other.startMs),
    limits,
  );
}

/** Characters per second. */
export function readingSpeed({ readLength, startMs, endMs }: Cue): number {
  return (readLength * 1_000) / (endMs - startMs);
}

function cueOf({ above, below, startMs, endMs }: Group, voice: string | null, layout: Layout): Cue {
  const texts = [above, below].filter((words) => words.length > 0).map(textsOf);
  const lines = texts.flatMap((text) => layOut(text, layout)!);
  const readLength = Math.max(...texts.map((text) => lengthOf(text.join(' '))));
  return { startMs, endMs, lines, words: above, voice, readLength, spoken: { startMs, endMs } };
}

function placeInTime(spoken: readonly Cue[], limits: CueLimits): Cue[] {
  let earliestMs = 0;
  return spoken.map((cue, index) => {
    const startMs = Math.max(cue.startMs, earliestMs);
    const wantedMs = Math.max(cue.endMs, startMs + readableMs(cue, limits));
    const latestMs = Math.min(startMs + MAX_CUE_MS, nextStartMs({ ...cue, startMs }, spoken[index + 1], limits));
    const endMs = Math.max(Math.min(wantedMs, latestMs), startMs + 1);
    earliestMs = endMs;
    return { ...cue, startMs, endMs };
  });
}

/**
 * When the next cue takes the place of this one: when it is said, but where both are said at once, each gets its share of
 * the time by its length, and this one no more than reading it takes.
 */
function nextStartMs(cue: Cue, next: Cue | undefined, limits: CueLimits): number {
  if (!next) return Infinity;
  if (next.startMs >= cue.spoken.endMs) return next.startMs;
  const togetherMs = Math.max(cue.spoken.endMs, next.spoken.endMs) - cue.startMs;
  const shareMs = Math.round((togetherMs * cue.readLength) / (cue.readLength + next.readLength));
  return Math.max(next.startMs, cue.startMs + Math.min(shareMs, readableMs(cue, limits)));
}

/** How long a cue is shown at least so that it can be read. */
function readableMs({ readLength }: Cue, { maxCharactersPerSecond }: CueLimits): number {
  return Math.max(MIN_CUE_MS, Math.ceil((readLength * 1_000) / maxCharactersPerSecond));
}
