import { topicFamily } from '../../platform/events/topic';
import type { LiveSessionSnapshot } from './live/live-session';
import type { SegmentRow, TranscriptState } from './records';

/**
 * What happens in one transcript, and in the live session that makes it. A segment travels whole, so a replay is exact and
 * asks no table.
 */
export type TranscriptEvent =
  | { type: 'segment.changed'; segment: SegmentRow }
  | {
      type: 'transcript.finished';
      state: Exclude<TranscriptState, 'TRANSCRIBING'>;
      error: { code: string; message: string; retryable: boolean } | null;
      removedSegmentIds: string[];
    }
  | { type: 'speech.boundary'; speaking: boolean; atMs: number }
  | { type: 'session.changed'; session: LiveSessionSnapshot };

/** The stream of one transcript, by its id. */
export const transcriptTopic = topicFamily<TranscriptEvent>('transcript');
