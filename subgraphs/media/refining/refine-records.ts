import { asSegmentRow, type MediaTransaction, type SegmentRow, type TranscriptRow } from '../records';
import { growthRecords } from '../transcription/growth-records';
import type { Merged } from './merge-by-time';

/** Queries for putting a second hearing into a transcript; each belongs to the transaction that does. */
export const refineRecords = {
  /** Null for one that is gone. */
  transcript: (tx: MediaTransaction, id: string): Promise<TranscriptRow | null> =>
    tx.transcript.findUnique({ where: { id } }),

  /** All segments in their order, locked until the transaction ends, so that nobody corrects them meanwhile. */
  async lockSegments(tx: MediaTransaction, transcriptId: string): Promise<SegmentRow[]> {
    await tx.$queryRaw`
      select 1 from media.segment where transcript_id = ${transcriptId} order by position for update`;
    const rows = await tx.segment.findMany({ where: { transcriptId }, orderBy: { position: 'asc' } });
    return rows.map(asSegmentRow);
  },

  /** Makes the locked segments what the merge has come to; a transcript of hours takes a handful of statements. */
  async write(tx: MediaTransaction, transcriptId: string, { segments, changed, removedIds }: Merged): Promise<void> {
    const created = changed.filter(({ revision }) => revision === 1);
    await tx.segment.deleteMany({ where: { id: { in: removedIds } } });
    // A position is there once: all leave theirs before the first one takes its new one.
    await tx.$executeRaw`update media.segment set position = -1 - position where transcript_id = ${transcriptId}`;
    const [ids, positions] = [segments.map(({ id }) => id), segments.map(({ position }) => position)];
    await tx.$executeRaw`
      update media.segment s set position = v.position
        from unnest(${ids}::text[], ${positions}::int[]) as v (id, position) where s.id = v.id`;
    await replaceContents(
      tx,
      changed.filter(({ revision }) => revision > 1),
    );
    await growthRecords.insertSegments(tx, created);
  },
};

async function replaceContents(tx: MediaTransaction, segments: readonly SegmentRow[]): Promise<void> {
  const json = JSON.stringify(segments);
  await tx.$executeRaw`
    update media.segment s
       set revision = v.revision, state = v.state::media.segment_state, start_ms = v."startMs", end_ms = v."endMs",
           text = v.text, confidence = v.confidence, language = v.language, words = v.words, stable_words = v."stableWords"
      from jsonb_to_recordset(${json}::jsonb) as v (
             id text, revision int, state text, "startMs" int, "endMs" int, text text, confidence float8, language text,
             words jsonb, "stableWords" int)
     where s.id = v.id`;
}
