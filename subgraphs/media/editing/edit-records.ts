import { isId } from '../../../platform/ids';
import {
  asSegmentRow,
  type MediaDatabase,
  type MediaRow,
  type MediaTransaction,
  type SegmentRow,
  type TranscriptRow,
} from '../records';

/** A segment with everything that decides how it may be corrected. */
export interface EditableSegment {
  segment: SegmentRow;
  transcript: TranscriptRow;
  /** Null where there is no recording, as of what is said live. */
  media: MediaRow | null;
  before: SegmentRow | null;
  behind: SegmentRow | null;
}

/** Queries for corrections. */
export class EditRecords {
  constructor(private readonly database: MediaDatabase) {}

  /** The owner's segment and its neighbours on the same channel, all of one moment; null for an unknown or foreign id. */
  async find(segmentId: string, ownerId: string): Promise<EditableSegment | null> {
    if (!isId('seg', segmentId)) return null;
    return this.database.momentOf(async (tx) => {
      const row = await tx.segment.findFirst({
        where: { id: segmentId, transcript: { ownerId } },
        include: { transcript: { include: { media: true } } },
      });
      if (!row) return null;
      const { transcript: found, ...segment } = row;
      const { media, ...transcript } = found;
      const before = await neighbourOf(tx, segment, 'before');
      const behind = await neighbourOf(tx, segment, 'behind');
      return { segment: asSegmentRow(segment), transcript, media, before, behind };
    });
  }

  /** The segment as it is now, locked until the transaction ends; null when it is gone. */
  async lock(tx: MediaTransaction, id: string): Promise<SegmentRow | null> {
    await tx.$queryRaw`select 1 from media.segment where id = ${id} for update`;
    const row = await tx.segment.findUnique({ where: { id } });
    return row && asSegmentRow(row);
  }

  /** The speaker then stays until the transaction ends. */
  async hasSpeaker(tx: MediaTransaction, transcriptId: string, speakerId: string): Promise<boolean> {
    if (!isId('spk', speakerId)) return false;
    const rows = await tx.$queryRaw<unknown[]>`
      select 1 from media.speaker where id = ${speakerId} and transcript_id = ${transcriptId} for share`;
    return rows.length > 0;
  }
}

async function neighbourOf(
  tx: MediaTransaction,
  { transcriptId, channel, position }: Pick<SegmentRow, 'transcriptId' | 'channel' | 'position'>,
  side: 'before' | 'behind',
): Promise<SegmentRow | null> {
  const row = await tx.segment.findFirst({
    where: { transcriptId, channel, position: side === 'before' ? { lt: position } : { gt: position } },
    orderBy: { position: side === 'before' ? 'desc' : 'asc' },
  });
  return row && asSegmentRow(row);
}
