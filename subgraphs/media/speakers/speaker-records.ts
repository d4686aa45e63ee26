import { Prisma, type Speaker } from '../../../platform/database/prisma-client/client';
import { asSegmentRow, type MediaDatabase, type MediaTransaction, type SegmentRow } from '../records';

export type SpeakerRow = Speaker & { talkMs: number };

/** Queries for speakers. Reads take ids that the caller has been found to own. */
export class SpeakerRecords {
  constructor(private readonly database: MediaDatabase) {}

  /** Of several transcripts, in the order of their first word; those who say nothing any more come last. */
  ofTranscripts(transcriptIds: readonly string[]): Promise<SpeakerRow[]> {
    return this.read(Prisma.sql`s.transcript_id = any(${[...transcriptIds]})`);
  }

  byIds(ids: readonly string[]): Promise<SpeakerRow[]> {
    return this.read(Prisma.sql`s.id = any(${[...ids]})`);
  }

  /** Locked until the transaction ends, so that two names cannot become the same at once. */
  async lockAll(tx: MediaTransaction, transcriptId: string): Promise<Speaker[]> {
    await tx.$queryRaw`select 1 from media.speaker where transcript_id = ${transcriptId} order by id for update`;
    return tx.speaker.findMany({ where: { transcriptId } });
  }

  async update(tx: MediaTransaction, { id, ...data }: Pick<Speaker, 'id' | 'label' | 'userId'>): Promise<void> {
    await tx.speaker.update({ where: { id }, data });
  }

  /** Gives everything one speaker says to another one, and removes the first. Answers the segments as they are now. */
  async merge(tx: MediaTransaction, fromId: string, intoId: string): Promise<SegmentRow[]> {
    await tx.$queryRaw`select 1 from media.segment where speaker_id = ${fromId} order by position for update`;
    const rows = await tx.segment.updateManyAndReturn({
      where: { speakerId: fromId },
      data: { speakerId: intoId, revision: { increment: 1 } },
    });
    await tx.speaker.delete({ where: { id: fromId } });
    return rows.map(asSegmentRow).sort((one, other) => one.position - other.position);
  }

  private read(which: Prisma.Sql): Promise<SpeakerRow[]> {
    return this.database.momentOf(
      (tx) => tx.$queryRaw<SpeakerRow[]>`
        select s.id, s.transcript_id "transcriptId", s.key, s.label, s.user_id "userId",
               coalesce(sum(g.end_ms - g.start_ms), 0)::float8 "talkMs"
          from media.speaker s left join media.segment g on g.speaker_id = s.id
         where ${which} group by s.id order by min(g.start_ms) nulls last, s.id`,
    );
  }
}
