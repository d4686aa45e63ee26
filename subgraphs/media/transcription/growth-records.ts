import { Prisma } from '../../../platform/database/prisma-client/client';
import { newId } from '../../../platform/ids';
import type { MediaTransaction, SegmentRow, TranscriptRow } from '../records';
import { asSegmentRow } from '../records';
import type { Checkpoint } from './checkpoint';

/** What a transcript's row says about itself while it grows and when it ends. */
export type TranscriptChange = Partial<
  Pick<TranscriptRow, 'state' | 'engine' | 'language' | 'languageConfidence' | 'confidence' | 'durationMs' | 'revision'>
> & { checkpoint?: Checkpoint | null };

/** The queries of a growing transcript; each belongs to the transaction of the attempt that owns the job. */
export const growthRecords = {
  transcript: (tx: MediaTransaction, id: string): Promise<TranscriptRow> =>
    tx.transcript.findUniqueOrThrow({ where: { id } }),

  async changeTranscript(tx: MediaTransaction, id: string, { checkpoint, ...change }: TranscriptChange): Promise<void> {
    const stored =
      checkpoint === undefined ? {} : { checkpoint: checkpoint === null ? Prisma.DbNull : asJson(checkpoint) };
    await tx.transcript.update({ where: { id }, data: { ...change, ...stored } });
  },

  /** By position; locked until the transaction ends, so that nobody corrects them meanwhile. */
  async segmentsAt(
    tx: MediaTransaction,
    transcriptId: string,
    positions: readonly number[],
  ): Promise<Map<number, SegmentRow>> {
    await tx.$queryRaw`select 1 from media.segment
      where transcript_id = ${transcriptId} and position = any(${[...positions]}) order by position for update`;
    const rows = await tx.segment.findMany({ where: { transcriptId, position: { in: [...positions] } } });
    return new Map(rows.map((row) => [row.position, asSegmentRow(row)]));
  },

  async insertSegments(tx: MediaTransaction, segments: readonly SegmentRow[]): Promise<void> {
    if (segments.length > 0) await tx.segment.createMany({ data: segments.map(asData) });
  },

  async replaceSegment(tx: MediaTransaction, segment: SegmentRow): Promise<void> {
    await tx.segment.update({ where: { id: segment.id }, data: asData(segment) });
  },

  async isCorrected(tx: MediaTransaction, transcriptId: string): Promise<boolean> {
    return (await tx.segment.findFirst({ where: { transcriptId, state: 'EDITED' }, select: { id: true } })) !== null;
  },

  /** Removes the segments from `fromPosition` on that nobody has corrected, and answers their ids in order. */
  deleteUncorrected: (tx: MediaTransaction, transcriptId: string, fromPosition: number): Promise<string[]> =>
    growthRecords.deleteSegments(tx, { transcriptId, position: { gte: fromPosition }, state: { not: 'EDITED' } }),

  /** Answers the ids of what it removes, in order. */
  async deleteSegments(tx: MediaTransaction, where: Prisma.SegmentWhereInput): Promise<string[]> {
    const rows = await tx.segment.findMany({ where, orderBy: { position: 'asc' }, select: { id: true } });
    const ids = rows.map((row) => row.id);
    if (ids.length === 0) return [];
    const { count } = await tx.segment.deleteMany({ where });
    if (count === ids.length) return ids;
    // One that was just being corrected may have stayed: its state is looked at again once it can be locked.
    const stayed = await tx.segment.findMany({ where: { id: { in: ids } }, select: { id: true } });
    return ids.filter((id) => !stayed.some((row) => row.id === id));
  },

  /** Ids by key. */
  async speakers(tx: MediaTransaction, transcriptId: string): Promise<Map<string, string>> {
    const rows = await tx.speaker.findMany({ where: { transcriptId }, select: { id: true, key: true } });
    return new Map(rows.map(({ id, key }) => [key, id]));
  },

  async insertSpeaker(
    tx: MediaTransaction,
    speaker: { transcriptId: string; key: string; label: string },
  ): Promise<string> {
    return (await tx.speaker.create({ data: { id: newId('spk'), ...speaker } })).id;
  },

  /** Removes those to whom nothing is ascribed any more. */
  async deleteSilentSpeakers(tx: MediaTransaction, transcriptId: string): Promise<void> {
    await tx.speaker.deleteMany({ where: { transcriptId, segments: { none: {} } } });
  },
};

function asData({ words, ...segment }: SegmentRow): Prisma.SegmentCreateManyInput {
  return { ...segment, words: words as unknown as Prisma.InputJsonArray };
}

function asJson(checkpoint: Checkpoint): Prisma.InputJsonObject {
  return checkpoint as unknown as Prisma.InputJsonObject;
}
