import { SautiError } from '../../platform/errors';
import type { EventLog, LogItem } from '../../platform/events/event-log';
import { decodeCursor, encodeCursor } from '../../platform/events/topic';
import { isId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { transcriptTopic, type TranscriptEvent } from './events';
import type { MediaRecords, SegmentRow } from './records';

type Finished = Extract<TranscriptEvent, { type: 'transcript.finished' }>;

/** One event as the subscription shows it. */
export type TranscriptStreamEvent = { cursor: string; at: Date } & (
  | { type: 'segment.changed'; segment: SegmentRow }
  | (Finished & { transcriptId: string })
  | { type: 'gap'; missed: number | null }
);

/**
 * The events of the viewer's transcript behind the cursor `after`, or from the beginning, until it is finished or the
 * signal aborts. Events that are no longer there are told as a gap: those behind the cursor that were deleted, or, of an
 * unknown number, those of a cursor behind the newest event, as after a backup was restored. Throws NOT_FOUND (unknown
 * or somebody else's) and BAD_USER_INPUT (no cursor of this stream).
 */
export async function openTranscriptStream(
  { records, events }: { records: MediaRecords; events: EventLog },
  viewer: Viewer,
  wanted: { transcriptId: string; after?: string | null | undefined },
  signal: AbortSignal,
): Promise<AsyncGenerator<TranscriptStreamEvent, void, void>> {
  const { transcriptId } = wanted;
  const [transcript] = isId('trn', transcriptId) ? await records.transcriptsByIds([transcriptId], viewer.userId) : [];
  if (!transcript) throw new SautiError('NOT_FOUND', 'You have no transcript with this ID.');
  const topic = transcriptTopic(transcriptId);
  // Read behind the state: of a finished transcript this is the last event there will ever be.
  const head = await events.head(topic);
  const after = wanted.after == null ? 0 : decodeCursor(topic, wanted.after);
  if (after === null) throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this stream.');

  const last = transcript.state === 'TRANSCRIBING' ? Infinity : head;
  return after > head
    ? followRestored(events, { transcriptId, head, last }, signal)
    : follow(events, { transcriptId, after, last }, signal);
}

/** As when everything behind the newest event had been deleted. */
async function* followRestored(
  events: EventLog,
  { transcriptId, head, last }: { transcriptId: string; head: number; last: number },
  signal: AbortSignal,
): AsyncGenerator<TranscriptStreamEvent, void, void> {
  yield { cursor: encodeCursor(transcriptTopic(transcriptId), head), at: new Date(), type: 'gap', missed: null };
  yield* follow(events, { transcriptId, after: head, last }, signal);
}

async function* follow(
  events: EventLog,
  range: { transcriptId: string; after: number; last: number },
  signal: AbortSignal,
): AsyncGenerator<TranscriptStreamEvent, void, void> {
  const { transcriptId, after, last } = range;
  if (after >= last) return;
  const topic = transcriptTopic(transcriptId);
  for await (const item of events.read(topic, { after, signal })) {
    yield { cursor: encodeCursor(topic, item.seq), at: item.at, ...contentOf(item, transcriptId) };
    if (item.seq >= last || (item.type === 'event' && item.payload.type === 'transcript.finished')) return;
  }
}

function contentOf(item: LogItem<TranscriptEvent>, transcriptId: string) {
  if (item.type === 'gap') return { type: 'gap' as const, missed: item.missed };
  return item.payload.type === 'transcript.finished' ? { ...item.payload, transcriptId } : item.payload;
}
