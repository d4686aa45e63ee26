import type { RecognitionPlan } from '../recognition';
import type { MediaDatabase, MediaTransaction } from '../records';
import type { LiveSessionRow, LiveState } from './live-session';
import type { LiveWishes } from './start-input';

type Reading = Pick<MediaDatabase, 'liveSession'>;

/** The queries of live sessions on the graph's side. Reads that serve a viewer take the owner, so a foreign id finds nothing. */
export class LiveSessionRecords {
  constructor(private readonly database: MediaDatabase) {}

  transaction<Result>(work: (tx: MediaTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** A transaction whose queries all see one moment of the database; it cannot write. */
  momentOf<Result>(work: (tx: MediaTransaction) => Promise<Result>): Promise<Result> {
    return this.database.momentOf(work);
  }

  byIds(ids: readonly string[], ownerId: string, tx: Reading = this.database): Promise<LiveSessionRow[]> {
    return tx.liveSession.findMany({ where: { id: { in: [...ids] }, ownerId } });
  }

  /** The owner's sessions, newest first, behind the id `before`. */
  ofOwner(
    ownerId: string,
    { states, take, before }: { states: readonly LiveState[] | null; take: number; before: string | null },
    tx: Reading,
  ): Promise<LiveSessionRow[]> {
    return tx.liveSession.findMany({
      where: {
        ownerId,
        ...(before === null ? {} : { id: { lt: before } }),
        ...(states === null ? {} : { state: { in: [...states] } }),
      },
      orderBy: { id: 'desc' },
      take,
    });
  }

  /** Writes the session and the transcript that grows out of it. */
  async insert(
    tx: MediaTransaction,
    session: LiveWishes & Pick<LiveSessionRow, 'id' | 'ownerId' | 'transcriptId'>,
    { plan, language }: { plan: RecognitionPlan; language: string },
  ): Promise<LiveSessionRow> {
    const { transcriptId: id, ownerId } = session;
    await tx.transcript.create({ data: { id, ownerId, language, engine: plan.engine, options: plan } });
    return tx.liveSession.create({ data: session });
  }

  /** Wakes the workers once the transaction has committed. */
  async wakeWorkers(tx: MediaTransaction, sessionId: string): Promise<void> {
    await tx.$executeRaw`select pg_notify('sauti_live', ${sessionId})`;
  }
}
