import type { EventLog } from '../../../../platform/events/event-log';
import { transcriptTopic } from '../../events';
import type { MediaTransaction } from '../../records';
import { liveSessionSnapshot, type LiveSessionRow, type LiveState } from '../live-session';

/** A transaction, or the database itself for one statement. */
type Queries = Pick<MediaTransaction, '$queryRaw'>;

/** A writer that was not seen for this long has left without a word. It is seen every 5 s. */
const WRITER_GONE_S = 15;

/** How far a session has got. */
export interface Reached {
  acknowledgedSequence: number;
  storedBytes: number;
  unheardBytes: number;
  state: LiveState;
}

/** Bytes that follow what is stored: chunks `first` to `last` of the writer's numbering. */
export interface AudioRow {
  first: number;
  last: number;
  bytes: Uint8Array;
}

/** Which writer must be the present one, if any must; and the states from which audio is taken. */
interface Conditions {
  writer: number | null;
  states: readonly LiveState[];
}

/**
 * Makes the holder of a token the writer, if the token is newer than all that were used: the writer's number, or null. One that
 * comes back to a session that is LIVE has as long to send something as one that has just sent: before it can, no sweep shall
 * take it for silent.
 */
export async function becomeWriter(tx: Queries, sessionId: string, tokenNumber: string): Promise<number | null> {
  const rows = await tx.$queryRaw<{ writer: number }[]>`
    update media.live_session set used_token = ${tokenNumber}, writer = writer + 1, writer_seen_at = clock_timestamp(),
           last_audio_at = case when state = 'LIVE' then clock_timestamp() else last_audio_at end
     where id = ${sessionId} and used_token collate "C" < ${tokenNumber} returning writer`;
  return rows[0]?.writer ?? null;
}

/** The session, locked against everybody who changes it, and whether a writer is connected; null when it is unknown. */
export async function lockSession(
  tx: MediaTransaction,
  sessionId: string,
): Promise<{ session: LiveSessionRow; hasWriter: boolean } | null> {
  const rows = await tx.$queryRaw<{ hasWriter: boolean }[]>`
    select coalesce(writer_seen_at > clock_timestamp() - make_interval(secs => ${WRITER_GONE_S}), false) as "hasWriter"
      from media.live_session where id = ${sessionId} for no key update`;
  if (!rows[0]) return null;
  return { session: await tx.liveSession.findUniqueOrThrow({ where: { id: sessionId } }), ...rows[0] };
}

/**
 * Stores the bytes behind those that are there and wakes the worker, if the row of the session meets the conditions and the
 * bytes follow without a gap: one statement, so one round trip. Null when it does not; then nothing is changed.
 */
export async function insertAudio(
  tx: Queries,
  sessionId: string,
  { first, last, bytes }: AudioRow,
  { writer, states, maxBytes }: Conditions & { maxBytes: number },
): Promise<Reached | null> {
  const rows = await tx.$queryRaw<ReachedColumns[]>`
    with session as (
      update media.live_session
         set acknowledged_sequence = ${last}, stored_rows = stored_rows + 1,
             stored_bytes = stored_bytes + ${bytes.length}::int, state = 'LIVE',
             started_at = coalesce(started_at, clock_timestamp()), last_audio_at = clock_timestamp(),
             writer_seen_at = case when ${writer}::int is null then writer_seen_at else clock_timestamp() end
       where id = ${sessionId} and acknowledged_sequence = ${first}::int - 1 and not is_complete
         and state::text = any(${states}) and writer = coalesce(${writer}::int, writer)
         and stored_bytes + ${bytes.length}::int <= ${maxBytes}::bigint
       returning id, state, acknowledged_sequence, stored_rows, stored_bytes, heard_bytes
    ), audio as (
      insert into media.live_audio (session_id, row, from_byte, bytes, last_sequence)
      select id, stored_rows, stored_bytes - ${bytes.length}::int, ${bytes}, ${last} from session
    )
    select state::text, acknowledged_sequence as "acknowledgedSequence", stored_bytes as "storedBytes",
           heard_bytes as "heardBytes", pg_notify('sauti_live', id)::text from session`;
  return rows[0] ? reachedOf(rows[0]) : null;
}

/** Asks for everything so far to become final, behind the bytes that are there. */
export async function insertFlush(tx: Queries, sessionId: string): Promise<void> {
  await tx.$queryRaw`
    with session as (
      update media.live_session set stored_rows = stored_rows + 1 where id = ${sessionId}
      returning id, stored_rows, stored_bytes, acknowledged_sequence
    ), audio as (
      insert into media.live_audio (session_id, row, from_byte, bytes, last_sequence, flush)
      select id, stored_rows, stored_bytes, ''::bytea, acknowledged_sequence, true from session
    )
    select pg_notify('sauti_live', id)::text from session`;
}

/** No more audio comes: the worker finishes. */
export async function completeAudio(tx: Queries, sessionId: string): Promise<void> {
  await tx.$queryRaw`
    with session as (
      update media.live_session set is_complete = true, state = 'ENDING' where id = ${sessionId} returning id
    )
    select pg_notify('sauti_live', id)::text from session`;
}

/** Tells the readers of the transcript how the session is now. Must be the transaction's last statement. */
export async function announceSession(events: EventLog, tx: MediaTransaction, sessionId: string): Promise<void> {
  const session = await tx.liveSession.findUniqueOrThrow({ where: { id: sessionId } });
  await events.append(tx, transcriptTopic(session.transcriptId), {
    type: 'session.changed',
    session: liveSessionSnapshot(session),
  });
}

/** How far the session has got, and who writes it; null when it is unknown. With `seen` the writer counts as connected. */
export async function lookAtSession(
  tx: Queries,
  { sessionId, number }: { sessionId: string; number: number },
  seen: boolean,
): Promise<(Reached & { writer: number; isComplete: boolean }) | null> {
  type Columns = ReachedColumns & { writer: number; isComplete: boolean };
  const [row] = seen
    ? await tx.$queryRaw<Columns[]>`
        update media.live_session
           set writer_seen_at = case when writer = ${number} then clock_timestamp() else writer_seen_at end
         where id = ${sessionId}
        returning state::text, acknowledged_sequence as "acknowledgedSequence", stored_bytes as "storedBytes",
                  heard_bytes as "heardBytes", writer, is_complete as "isComplete"`
    : await tx.$queryRaw<Columns[]>`
        select state::text, acknowledged_sequence as "acknowledgedSequence", stored_bytes as "storedBytes",
               heard_bytes as "heardBytes", writer, is_complete as "isComplete"
          from media.live_session where id = ${sessionId}`;
  return row ? { ...reachedOf(row), writer: row.writer, isComplete: row.isComplete } : null;
}

/** The writer has left, unless another one has taken its place. */
export async function forgetWriter(
  tx: Queries,
  { sessionId, number }: { sessionId: string; number: number },
): Promise<void> {
  await tx.$queryRaw`
    update media.live_session set writer_seen_at = null where id = ${sessionId} and writer = ${number} returning 1`;
}

export function reachedOf({ state, acknowledgedSequence, storedBytes, heardBytes }: ReachedColumns): Reached {
  return {
    state,
    acknowledgedSequence,
    storedBytes: Number(storedBytes),
    unheardBytes: Number(storedBytes - heardBytes),
  };
}

type ReachedColumns = Pick<LiveSessionRow, 'state' | 'acknowledgedSequence' | 'storedBytes' | 'heardBytes'>;
