import { UserProblemError } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import type { MediaRow, SegmentRow, TranscriptRow } from '../records';
import type { Span } from './align-words';

export interface EditSegmentInput {
  segmentId: string;
  expectedRevision: number;
  text?: string | null | undefined;
  speakerId?: string | null | undefined;
  startMs?: number | null | undefined;
  endMs?: number | null | undefined;
}

/** What a segment lies between. */
export interface Surroundings {
  /** The segments before and behind it on its channel. */
  before: Span | null;
  behind: Span | null;
  /** Null where there is no recording. */
  media: Pick<MediaRow, 'durationMs'> | null;
  transcript: Pick<TranscriptRow, 'durationMs'>;
}

const MAX_TEXT_LENGTH = 5_000;

/** Text and times as they are to be, checked; what is not given stays. Throws INVALID_INPUT. */
export function checkedEdit(
  input: EditSegmentInput,
  segment: SegmentRow,
  surroundings: Surroundings,
): Pick<SegmentRow, 'text' | 'startMs' | 'endMs'> {
  const { text, speakerId, startMs, endMs } = input;
  if ([text, speakerId, startMs, endMs].every((value) => value == null)) {
    throw invalid('Give at least one of "text", "speakerId", "startMs" and "endMs".');
  }
  const span = { startMs: startMs ?? segment.startMs, endMs: endMs ?? segment.endMs };
  if (span.startMs >= span.endMs) {
    const message = `A segment begins before it ends; this one would last from ${span.startMs} to ${span.endMs} ms.`;
    throw invalid(message, startMs == null ? 'endMs' : 'startMs');
  }
  checkRoom(span, segment, surroundings);
  return { text: text == null ? segment.text : checkedText(text), ...span };
}

function checkedText(given: string): string {
  const text = given.normalize('NFC').replace(/\s+/gu, ' ').trim();
  const length = [...text].length;
  if (length >= 1 && length <= MAX_TEXT_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(text)) return text;
  const message = `text: 1 to ${MAX_TEXT_LENGTH} characters and no control characters; this one has ${length}.`;
  throw invalid(message, 'text');
}

/** A segment may touch its neighbours. Where it lies over one of them already it may stay, but not grow further. */
function checkRoom(span: Span, old: Span, { before, behind, media, transcript }: Surroundings): void {
  const earliestMs = Math.min(old.startMs, before?.endMs ?? 0);
  if (span.startMs < earliestMs) {
    const limit = before ? `${earliestMs}, where the segment before ends` : `${earliestMs}`;
    throw invalid(`startMs: not before ${limit}; it was ${span.startMs}.`, 'startMs');
  }
  // Without a recording there is only what was heard: how much that was is known at the end, until then nothing may grow.
  const allMs = media ? (media.durationMs ?? Infinity) : (transcript.durationMs ?? 0);
  const roomMs = Math.min(behind?.startMs ?? Infinity, allMs);
  const latestMs = Math.max(old.endMs, roomMs);
  if (span.endMs <= latestMs) return;
  const end = media ? 'the recording ends' : 'what was heard ends';
  const what = roomMs === behind?.startMs ? 'the next segment begins' : end;
  throw invalid(`endMs: not after ${latestMs}, where ${what}; it was ${span.endMs}.`, 'endMs');
}

function invalid(message: string, ...path: string[]): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code: 'INVALID_INPUT', message, path: ['input', ...path] });
}
