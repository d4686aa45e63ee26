import type { MediaDatabase, MediaTransaction } from './records';

/** Queries for everything of one account. Pages are in the order of the ids, behind `afterId`. */
export class AccountRecords {
  constructor(private readonly database: MediaDatabase) {}

  recordings(ownerId: string, take: number, afterId: string) {
    return this.database.media.findMany({
      ...page(ownerId, take, afterId),
      include: { facts: { select: { probe: true } }, renditions: true, derived: true, lineage: true },
    });
  }

  transcripts(ownerId: string, take: number, afterId: string) {
    return this.database.transcript.findMany({
      ...page(ownerId, take, afterId),
      omit: { checkpoint: true },
      include: { speakers: true, translations: true },
    });
  }

  segments(transcriptId: string, take: number, afterId: string) {
    return this.database.segment.findMany({
      where: { transcriptId, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take,
      include: { translations: { omit: { segmentId: true } } },
    });
  }

  /** Without what only the service needs to go on with one. */
  liveSessions(ownerId: string, take: number, afterId: string) {
    return this.database.liveSession.findMany({
      ...page(ownerId, take, afterId),
      omit: { checkpoint: true, usedToken: true, writer: true, workerId: true, epoch: true },
    });
  }

  /** Deletes some of the sound of the owner's live sessions; answers how many rows. */
  deleteLiveAudio(tx: MediaTransaction, ownerId: string, limit: number): Promise<number> {
    return tx.$executeRaw`
      delete from media.live_audio where (session_id, "row") in (
        select session_id, "row" from media.live_audio
         where session_id in (select id from media.live_session where owner_id = ${ownerId}) limit ${limit})`;
  }

  /** Deletes some of the owner's transcripts with all that hangs on them, live sessions included. */
  async deleteTranscripts(tx: MediaTransaction, ownerId: string, take: number) {
    const found = await tx.transcript.findMany({
      where: { ownerId },
      select: { id: true },
      orderBy: { id: 'asc' },
      take,
    });
    const ids = found.map(({ id }) => id);
    const transcriptId = { in: ids };
    const segments = await tx.segment.count({ where: { transcriptId } });
    const liveSessions = await tx.liveSession.count({ where: { transcriptId } });
    const { count: transcripts } = await tx.transcript.deleteMany({ where: { id: { in: ids } } });
    return { ids, transcripts, segments, liveSessions };
  }

  /** Deletes some of the owner's recordings; answers how many. */
  async deleteRecordings(tx: MediaTransaction, ownerId: string, take: number): Promise<number> {
    const found = await tx.media.findMany({ where: { ownerId }, select: { id: true }, orderBy: { id: 'asc' }, take });
    return (await tx.media.deleteMany({ where: { id: { in: found.map(({ id }) => id) } } })).count;
  }

  /** Takes the account's id out of the transcripts of others, where it was named as a speaker. */
  async forgetSpeaker(tx: MediaTransaction, userId: string): Promise<number> {
    return (await tx.speaker.updateMany({ where: { userId }, data: { userId: null } })).count;
  }
}

function page(ownerId: string, take: number, afterId: string) {
  return { where: { ownerId, id: { gt: afterId } }, orderBy: { id: 'asc' as const }, take };
}
