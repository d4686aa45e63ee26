import { topicFamily } from '../../platform/events/topic';
import type { SegmentRow, TranscriptState } from './records';

/** What happens in one transcript. A segment travels whole, so a replay is exact and asks no table. */
export type TranscriptEvent =
  | { type: 'segment.changed'; segment: SegmentRow }
  | {
      type: 'transcript.finished';
      state: Exclude<TranscriptState, 'TRANSCRIBING'>;
      error: { code: string; message: string; retryable: boolean } | null;
      removedSegmentIds: string[];
    };

/** The stream of one transcript, by its id. */
export const transcriptTopic = topicFamily<TranscriptEvent>('transcript');
