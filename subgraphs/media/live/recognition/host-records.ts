import type { Database } from '../../../../platform/database/database';
import type { LiveSessionRow } from '../live-session';

/** A worker that was not seen for this long has lost its sessions. */
const LOST_MS = 2_000;
/** The row of a worker that never comes back is of no use to anybody. */
const FORGOTTEN_MS = 3_600_000;

/** What a worker writes of itself, and how it comes to its sessions. Times are those of the database, which all workers share. */
export class HostRecords {
  constructor(
    private readonly database: Database,
    private readonly workerId: string,
  ) {}

  /** The worker is here. */
  async beat(places: number): Promise<void> {
    await this.database.prisma.$executeRaw`
      insert into media.live_worker (id, places, seen_at) values (${this.workerId}, ${places}, clock_timestamp())
      on conflict (id) do update set places = excluded.places, seen_at = excluded.seen_at`;
  }

  /**
   * Takes up to `free` sessions that have audio to be heard, or will have, and no worker, or one that is lost. Each gets the
   * next epoch. One whose row is locked is left for the next time. A session that is this worker's by its row, but not among
   * those `held`, has lost its run while the database was away: neither a claim's answer nor a release may have arrived.
   * Materialized, because a plan that runs the selection once for each row would pass the limit: what is locked is skipped.
   */
  async claim(free: number, held: readonly string[]): Promise<LiveSessionRow[]> {
    const claimed = await this.database.prisma.$queryRaw<{ id: string }[]>`
      with free as materialized (
         select s.id from media.live_session s
          where (s.state in ('WAITING', 'LIVE', 'ENDING')
                 or s.state = 'PAUSED' and coalesce((s.checkpoint->>'row')::int, 0) < s.stored_rows)
            and (s.worker_id is null
                 or s.worker_id = ${this.workerId} and s.id <> all(${[...held]})
                 or s.worker_id <> ${this.workerId} and not exists (
                   select 1 from media.live_worker w where w.id = s.worker_id
                      and w.seen_at > clock_timestamp() - make_interval(secs => ${LOST_MS / 1_000})))
          order by s.last_audio_at nulls last limit ${free} for no key update skip locked)
      update media.live_session s set worker_id = ${this.workerId}, epoch = epoch + 1 from free where s.id = free.id
      returning s.id`;
    if (claimed.length === 0) return [];
    return this.database.prisma.liveSession.findMany({
      where: { id: { in: claimed.map(({ id }) => id) }, workerId: this.workerId },
    });
  }

  /** The worker goes. */
  async leave(): Promise<void> {
    await this.database.prisma.$executeRaw`
      delete from media.live_worker where id = ${this.workerId}
         or seen_at < clock_timestamp() - make_interval(secs => ${FORGOTTEN_MS / 1_000})`;
  }
}
