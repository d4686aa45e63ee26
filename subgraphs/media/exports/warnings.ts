import { clockTime } from './clock';
import { readingSpeed, type Cue } from './cues';
import type { ExportOptions } from './export-options';
import type { ExportSegment } from './export-records';
import { MIN_CUE_MS } from './groups';

/** More warnings than this are only counted. */
const MAX_WARNINGS = 100;

/** What a reader of these subtitles may stumble over, each with its place. */
export function subtitleWarnings(cues: readonly Cue[], options: ExportOptions): string[] {
  const warnings = cues.flatMap((cue, index) => {
    const place = `Subtitle ${index + 1} at ${clockTime(cue.startMs, '.')}`;
    return faultsOf(cue, cues[index - 1], options).map((fault) => `${place} ${fault}`);
  });
  if (warnings.length <= MAX_WARNINGS) return warnings;
  return [...warnings.slice(0, MAX_WARNINGS), `And ${warnings.length - MAX_WARNINGS} more warnings like these.`];
}

/** What of a translation is not what it should be. */
export function translationWarnings(segments: readonly ExportSegment[], { translation }: ExportOptions): string[] {
  if (translation === null) return [];
  const missing = segments.filter((segment) => segment.translation === null).length;
  const stale = segments.filter((segment) => segment.translation?.isStale).length;
  return [
    ...(missing === 0
      ? []
      : [`${counted(missing)} no translation into "${translation}" yet; the original stands there.`]),
    ...(stale === 0 ? [] : [`${counted(stale)} been corrected since the translation; translate the transcript again.`]),
  ];
}

function faultsOf(cue: Cue, before: Cue | undefined, options: ExportOptions): string[] {
  const { maxCharactersPerSecond, maxLineLength } = options;
  const faults: string[] = [];
  const speed = readingSpeed(cue);
  if (speed > maxCharactersPerSecond) {
    faults.push(
      `asks for ${speed.toFixed(1)} characters per second; more than ${maxCharactersPerSecond} are hard to read.`,
    );
  }
  const shownMs = cue.endMs - cue.startMs;
  if (shownMs < MIN_CUE_MS) faults.push(`is shown for ${shownMs} ms; less than 1 s is easily missed.`);
  if (before && before.spoken.endMs > cue.spoken.startMs) faults.push('is said while the one before is still spoken.');
  if (cue.words.some((word) => word.isCut)) {
    faults.push(`holds a word of more than ${maxLineLength} characters, which is cut.`);
  }
  return faults;
}

function counted(count: number): string {
  return count === 1 ? '1 segment has' : `${count} segments have`;
}
