import type { EventLog } from '../../../platform/events/event-log';
import { newId } from '../../../platform/ids';
import { transcriptTopic, type TranscriptEvent } from '../events';
import type { MediaTransaction, SegmentRow } from '../records';
import type { SpeakerRecords } from '../speakers/speaker-records';
import { growthRecords, type TranscriptChange } from '../transcription/growth-records';
import type { PlacedSegment } from '../transcription/transcript-growth';
import { mergeByTime } from './merge-by-time';
import { refineRecords } from './refine-records';

/** What is known of a recording that was heard again. */
export type SecondHearing = Required<Pick<TranscriptChange, 'engine' | 'confidence' | 'durationMs'>> &
  Pick<TranscriptChange, 'language' | 'languageConfidence'> & { segments: readonly PlacedSegment[] };

/** There is nothing any more that could be refined, or nothing that it could be refined with. */
export class RefinementRefused extends Error {
  constructor(readonly reason: 'GONE' | 'NOT_COMPLETE' | 'NOTHING_HEARD') {
    super(`The transcript cannot be refined: ${reason}.`);
    this.name = 'RefinementRefused';
  }
}

/**
 * Puts a second hearing into the transcript it is of, see {@link mergeByTime}; it is COMPLETE all the time. Only what differs
 * is announced – what is gone, as a revision without text –, and then the end, with the ids of what is gone. Locks speakers,
 * segments, transcript, topic, in this order, as corrections do. Throws {@link RefinementRefused}; then nothing is changed.
 */
export async function refine(
  tx: MediaTransaction,
  parts: { events: EventLog; speakers: SpeakerRecords },
  transcriptId: string,
  { segments, ...about }: SecondHearing,
): Promise<void> {
  const all = await parts.speakers.lockAll(tx, transcriptId);
  const known = await refineRecords.lockSegments(tx, transcriptId);
  const transcript = await refineRecords.transcript(tx, transcriptId);
  if (transcript?.state !== 'COMPLETE') throw new RefinementRefused(transcript ? 'NOT_COMPLETE' : 'GONE');
  if (segments.length === 0 && known.length > 0) throw new RefinementRefused('NOTHING_HEARD');
  // In a live session one person speaks; where there are more, nobody tells who says what is new.
  const speakerId = all.length === 1 ? all[0]!.id : null;
  const merged = mergeByTime(known, segments, { transcriptId, speakerId, newId: () => newId('seg') });
  await refineRecords.write(tx, transcriptId, merged);
  const { changed, removedIds } = merged;
  const isAnother = changed.length > 0 || removedIds.length > 0;
  const revision = transcript.revision + (isAnother ? 1 : 0);
  await growthRecords.changeTranscript(tx, transcriptId, { ...about, revision });
  const removed = new Set(removedIds);
  await parts.events.appendAll<TranscriptEvent>(tx, transcriptTopic(transcriptId), [
    ...[...known.filter(({ id }) => removed.has(id)).map(takenBack), ...changed].map((segment) => ({
      type: 'segment.changed' as const,
      segment,
    })),
    { type: 'transcript.finished', state: 'COMPLETE', error: null, removedSegmentIds: removedIds },
  ]);
}

/** As in a live session: who keeps the highest revision of each segment has the transcript, also without the list of ids. */
function takenBack(segment: SegmentRow): SegmentRow {
  return { ...segment, state: 'FINAL', text: '', words: [], stableWords: 0, revision: segment.revision + 1 };
}
