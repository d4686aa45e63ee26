import type { RecognizedSegment } from '../transcriber/transcriber';

/** What one language's segments come to. */
interface LanguageShare {
  lengthMs: number;
  /** Sum of how sure the engine was of it, weighted by length. */
  sureMs: number;
}

/** How far the attempts of a transcript have come with one engine: all that another attempt needs to go on behind them. */
export interface Checkpoint {
  engine: string;
  /** Recognized up to here; milliseconds of the source media. */
  heardMs: number;
  /** Segments that are kept when the transcript fails: those at the positions below this. */
  segmentCount: number;
  /** How much of it sounded like a voice, in milliseconds. */
  spokenMs: number;
  /** Length of the segments with a confidence, and the sum of these weighted by it. */
  ratedMs: number;
  confidenceMs: number;
  languages: Record<string, LanguageShare>;
  /** Engines that will not take this recording: no attempt asks them again. */
  declined: string[];
}

export function emptyCheckpoint(engine: string, declined: string[] = []): Checkpoint {
  return { engine, declined, heardMs: 0, segmentCount: 0, spokenMs: 0, ratedMs: 0, confidenceMs: 0, languages: {} };
}

/** The checkpoint with more segments behind it, audio up to `heardMs`. */
export function advanced(
  before: Checkpoint,
  more: { segments: readonly RecognizedSegment[]; heardMs: number; spokenMs: number },
): Checkpoint {
  const after: Checkpoint = {
    ...before,
    heardMs: more.heardMs,
    spokenMs: before.spokenMs + more.spokenMs,
    segmentCount: before.segmentCount + more.segments.length,
    languages: { ...before.languages },
  };
  for (const { startMs, endMs, confidence, language, languageConfidence = 0 } of more.segments) {
    const lengthMs = Math.max(1, endMs - startMs);
    if (confidence !== null) {
      after.ratedMs += lengthMs;
      after.confidenceMs += lengthMs * confidence;
    }
    const share = after.languages[language] ?? { lengthMs: 0, sureMs: 0 };
    after.languages[language] = {
      lengthMs: share.lengthMs + lengthMs,
      sureMs: share.sureMs + lengthMs * languageConfidence,
    };
  }
  return after;
}

/** Mean of the segments' confidences weighted by their length, to three digits; null when the engine tells none. */
export function confidenceOf({ ratedMs, confidenceMs }: Checkpoint): number | null {
  return ratedMs === 0 ? null : rounded(confidenceMs / ratedMs);
}

/** The language of most of what was said, and how sure the engine was of it; null while nothing was. */
export function languageOf({ languages }: Checkpoint): { language: string; confidence: number } | null {
  const shares = Object.entries(languages).sort(([, one], [, other]) => other.lengthMs - one.lengthMs);
  const [most] = shares;
  return most ? { language: most[0], confidence: rounded(most[1].sureMs / most[1].lengthMs) } : null;
}

function rounded(fraction: number): number {
  return Math.round(fraction * 1_000) / 1_000;
}
