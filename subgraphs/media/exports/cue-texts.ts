import type { CueText } from './cues';
import type { ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';
import { asOneLine } from './lines';
import { spreadWords, timedWords, type TimedWord } from './timed-words';

/**
 * What subtitles say of each segment, in time. Where the speaker changes, the name stands before the text (`inText`), or
 * is left to the format, as in WebVTT, which has a mark for it.
 */
export function cueTextsOf(
  segments: readonly ExportSegment[],
  options: ExportOptions,
  names: 'inText' | 'asVoice',
): CueText[] {
  const inTime = [...segments].sort((one, other) => one.startMs - other.startMs);
  const said = inTime.map((segment): CueText => {
    const { above, below } = textsOf(segment, options);
    return { above, below, voice: options.speakers && segment.speakerLabel ? asOneLine(segment.speakerLabel) : null };
  });
  if (names === 'asVoice') return said;
  return said.map(({ above, below, voice }, index) => {
    const isNew = voice !== null && voice !== said[index - 1]?.voice;
    return { above: isNew ? named(voice, above, options) : above, below, voice: null };
  });
}

/** A segment that has no translation yet is shown as it was said. */
function textsOf(segment: ExportSegment, options: ExportOptions): { above: TimedWord[]; below: TimedWord[] } {
  const { maxLineLength } = options;
  const said = timedWords(segment, maxLineLength);
  if (!segment.translation) return { above: said, below: [] };
  const translated = spreadWords(segment.translation.text, segment, maxLineLength);
  return options.bilingual ? { above: said, below: translated } : { above: translated, below: [] };
}

/** The name takes its place on the line but no time. */
function named(name: string, words: readonly TimedWord[], { maxLineLength }: ExportOptions): readonly TimedWord[] {
  const first = words[0];
  if (!first) return words;
  return [...spreadWords(`${name}:`, { startMs: first.startMs, endMs: first.startMs }, maxLineLength), ...words];
}
