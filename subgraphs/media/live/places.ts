import { UserProblemError } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import type { MediaTransaction } from '../records';
import { PLACE_HOLDING_STATES } from './live-session';

/** A worker that was not seen for this long has no places to give. It is seen twice a second. */
const WORKER_GONE_S = 5;
/** A worker that was started anew, or a new one, is there within this time. */
const WORKER_BACK_MS = 5_000;

/** How many of the sessions that ended last tell how long one lasts. */
const LASTED_OF = 50;
const UNKNOWN_WAIT_MS = 30_000;
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 600_000;

/** Who wants a place. */
export interface PlaceWish {
  ownerId: string;
  /** How many sessions of one account may hold a place at a time. */
  sessionsPerAccount: number;
  /** What is thrown when so many do; their ids come oldest first. */
  tooMany: (ids: string[]) => Error;
}

/**
 * Lets one more session have a place of the workers, or throws: ENGINE_BUSY when all are taken, ENGINE_UNAVAILABLE when no
 * worker for live sessions is there; `retryAfterMs` says when to try again; or what `tooMany` makes. The caller writes the
 * session into one of {@link PLACE_HOLDING_STATES} in the same transaction: until that ends, all others who want a place wait
 * here. A session's row is locked before, never behind this.
 */
export async function takePlace(
  tx: MediaTransaction,
  { ownerId, sessionsPerAccount, tooMany }: PlaceWish,
): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtext('media.live_place'))`;
  await refuseWhenFull(tx);
  const own = await tx.liveSession.findMany({
    where: { ownerId, state: { in: [...PLACE_HOLDING_STATES] } },
    orderBy: { id: 'asc' },
    select: { id: true },
  });
  if (own.length >= sessionsPerAccount) throw tooMany(own.map(({ id }) => id));
}

async function refuseWhenFull(tx: MediaTransaction): Promise<void> {
  const { places, taken } = await countPlaces(tx);
  if (taken < places) return;
  if (places === 0) {
    throw problem('ENGINE_UNAVAILABLE', 'No worker that recognizes live sessions is running.', WORKER_BACK_MS);
  }
  const message = `All ${places} places for live recognition are taken. One is probably free after "retryAfterMs".`;
  throw problem('ENGINE_BUSY', message, await expectedWaitMs(tx));
}

/** By the database's clock, which all workers share; the transaction may be older than the lock. */
async function countPlaces(tx: MediaTransaction): Promise<{ places: number; taken: number }> {
  const [worker] = await tx.$queryRaw<{ places: number }[]>`
    select coalesce(sum(places), 0)::int as places from media.live_worker
     where seen_at > clock_timestamp() - make_interval(secs => ${WORKER_GONE_S})`;
  const taken = await tx.liveSession.count({ where: { state: { in: [...PLACE_HOLDING_STATES] } } });
  return { places: worker!.places, taken };
}

/**
 * As long as sessions lasted lately, less what the oldest one has had of it. Of one that has outlasted them nobody knows: as long
 * as it has done so, so that who waits for hours does not ask every second.
 */
async function expectedWaitMs(tx: MediaTransaction): Promise<number> {
  const holding = [...PLACE_HOLDING_STATES];
  const [known] = await tx.$queryRaw<{ lastedMs: number | null; oldestMs: number | null }[]>`
    select (select percentile_cont(0.5) within group (order by lasted) * 1000
              from (select extract(epoch from ended_at - coalesce(started_at, created_at)) as lasted from media.live_session
                     where state = 'ENDED' order by id desc limit ${LASTED_OF}) ended)::float8 as "lastedMs",
           (select extract(epoch from clock_timestamp() - min(coalesce(started_at, created_at))) * 1000
              from media.live_session where state = any(${holding}::text[]::media.live_state[]))::float8 as "oldestMs"`;
  if (known?.lastedMs == null || known.oldestMs == null) return UNKNOWN_WAIT_MS;
  const leftMs = known.lastedMs - known.oldestMs;
  const waitMs = leftMs > 0 ? leftMs : Math.min(-leftMs, UNKNOWN_WAIT_MS);
  return Math.round(Math.min(Math.max(waitMs, MIN_WAIT_MS), MAX_WAIT_MS));
}

function problem(code: MediaProblemCode, message: string, retryAfterMs: number): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message, retryAfterMs });
}
