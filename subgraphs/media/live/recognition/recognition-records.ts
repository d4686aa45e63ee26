import type { Database } from '../../../../platform/database/database';
import { newId } from '../../../../platform/ids';
import { transcriptTopic, type TranscriptEvent } from '../../events';
import { asSegmentRow, MEDIA_MODELS, type MediaTransaction, type SegmentRow } from '../../records';
import type { LiveSessionRow, LiveState } from '../live-session';
import { parsePlan, type RecognitionPlan } from '../../transcription/recognition-plan';
import type { LiveCheckpoint } from './checkpoint';

/** The session has another worker, has ended, or is gone: nothing that this one writes counts any more. */
export class SessionLost extends Error {
  constructor(sessionId: string) {
    super(`The live session ${sessionId} is not this worker's any more.`);
    this.name = 'SessionLost';
  }
}

/** A row of audio as it came; a flush has no bytes. */
export interface AudioRow {
  row: number;
  fromByte: number;
  bytes: Uint8Array;
  flush: boolean;
}

/** What is stored behind a row, and whether more may come. */
export interface AudioPage {
  state: LiveState;
  isComplete: boolean;
  storedBytes: number;
  rows: AudioRow[];
  /** Whether there were no more rows when these were read. */
  isLast: boolean;
}

/** What is written at once. */
export interface Writing {
  heardBytes: number;
  checkpoint: LiveCheckpoint | null;
  /** Put at their places, but for those that a person has corrected. */
  segments: readonly SegmentRow[];
  /** PARTIAL ones that were no speech after all. */
  removedIds: readonly string[];
  /** Told in this order; of segments only those that were put or removed. */
  events: readonly TranscriptEvent[];
}

/** Rows read at once. */
const PAGE = 32;

/**
 * What the run of one session reads and writes. A claim of another worker raises `epoch`; from then on everything here
 * throws {@link SessionLost}, because each statement looks at the epoch, those that write with the session's row locked.
 */
export class RecognitionRecords {
  constructor(
    private readonly database: Database,
    readonly session: Pick<LiveSessionRow, 'id' | 'transcriptId' | 'ownerId' | 'epoch'>,
  ) {}

  /** The audio behind a row. */
  async readAudio(afterRow: number): Promise<AudioPage> {
    const { id, epoch } = this.session;
    const found = await this.database.prisma.$queryRaw<
      (AudioRow & { state: LiveState; isComplete: boolean; storedBytes: number; row: number | null })[]
    >`
      select s.state::text, s.is_complete "isComplete", s.stored_bytes::float8 "storedBytes",
             a."row", a.from_byte::float8 "fromByte", a.bytes, a.flush
        from media.live_session s
        left join lateral (select "row", from_byte, bytes, flush from media.live_audio
               where session_id = s.id and "row" > ${afterRow} order by "row" limit ${PAGE}) a on true
       where s.id = ${id} and s.epoch = ${epoch} and s.state not in ('ENDED', 'FAILED') order by a."row"`;
    const [first] = found;
    if (!first) throw new SessionLost(id);
    const { state, isComplete, storedBytes } = first;
    const rows = first.row === null ? [] : found;
    return { state, isComplete, storedBytes, rows, isLast: rows.length < PAGE };
  }

  /** The row in which a byte lies; 1 when there is none yet. */
  async rowOfByte(byte: number): Promise<number> {
    const rows = await this.database.prisma.$queryRaw<{ row: number }[]>`
      select "row" from media.live_audio
       where session_id = ${this.session.id} and from_byte <= ${byte} order by "row" desc limit 1`;
    return rows[0]?.row ?? 1;
  }

  /** Writes all of it in one statement, and so in one round trip. */
  async write({ heardBytes, checkpoint, segments, removedIds, events }: Writing): Promise<void> {
    const { id, transcriptId, epoch } = this.session;
    const [done] = await this.database.prisma.$queryRaw<{ isMine: boolean }[]>`
      with mine as (
        update media.live_session
           set heard_bytes = greatest(heard_bytes, ${heardBytes}::bigint),
               checkpoint = coalesce(${checkpoint && JSON.stringify(checkpoint)}::jsonb, checkpoint)
         where id = ${id} and epoch = ${epoch} and state not in ('ENDED', 'FAILED') returning id
      ), put as (
        insert into media.segment as s (id, transcript_id, position, revision, state, channel, speaker_id, start_ms, end_ms,
               text, confidence, language, words, stable_words, turn_end)
        select n.id, n."transcriptId", n.position, n.revision, n.state::media.segment_state, n.channel, n."speakerId",
               n."startMs", n."endMs", n.text, n.confidence, n.language, n.words, n."stableWords", n."turnEnd"
          from mine, jsonb_to_recordset(${JSON.stringify(segments)}::jsonb) as n(id text, "transcriptId" text, position int,
               revision int, state text, channel int, "speakerId" text, "startMs" int, "endMs" int, text text,
               confidence float8, language text, words jsonb, "stableWords" int, "turnEnd" boolean)
        on conflict (id) do update set revision = excluded.revision, state = excluded.state, start_ms = excluded.start_ms,
               end_ms = excluded.end_ms, text = excluded.text, confidence = excluded.confidence,
               language = excluded.language, words = excluded.words, stable_words = excluded.stable_words,
               turn_end = excluded.turn_end
         where s.state <> 'EDITED' and s.revision < excluded.revision returning s.id
      ), removed as (
        delete from media.segment s using mine
         where s.id = any(${[...removedIds]}) and s.transcript_id = ${transcriptId} and s.state = 'PARTIAL' returning s.id
      ), changed as (
        select coalesce(array_agg(id), '{}') as ids from (select id from put union all select id from removed) all_ids
      ), told as (
        select platform.append_event(${transcriptTopic(transcriptId).name}, e.payload) as seq
          from mine cross join changed
          cross join lateral (select payload from jsonb_array_elements(${JSON.stringify(events)}::jsonb)
                with ordinality as a(payload, place) order by place) e
         where e.payload->>'type' <> 'segment.changed' or e.payload->'segment'->>'id' = any(changed.ids)
      )
      select exists (select 1 from mine) and (select count(*) from told) >= 0 as "isMine"`;
    if (!done!.isMine) throw new SessionLost(id);
  }

  /** How the session's speech is to be recognized. */
  async plan(): Promise<RecognitionPlan> {
    const { transcriptId: id } = this.session;
    const { options } = await this.database.prisma.transcript.findUniqueOrThrow({ where: { id } });
    return parsePlan(options);
  }

  /** From where to go on, as it is stored; see checkpoint.ts. */
  async checkpoint(): Promise<unknown> {
    const { id, epoch } = this.session;
    const found = await this.database.prisma.liveSession.findUnique({ where: { id, epoch } });
    if (!found) throw new SessionLost(id);
    return found.checkpoint;
  }

  /**
   * What another worker has written behind its last checkpoint, by position, and is heard again: it goes on as what it is.
   * `position` is that of the next segment.
   */
  async segmentsBehind(position: number): Promise<Map<number, SegmentRow>> {
    const rows = await this.database.prisma.segment.findMany({
      where: { transcriptId: this.session.transcriptId, position: { gte: position } },
    });
    return new Map(rows.map((row) => [row.position, asSegmentRow(row)]));
  }

  /** Id of the one who speaks: whose session it is. */
  async speakerId(): Promise<string> {
    const { transcriptId, ownerId: userId } = this.session;
    const speaker = await this.database.prisma.speaker.upsert({
      where: { transcriptId_key: { transcriptId, key: 'owner' } },
      create: { id: newId('spk'), transcriptId, key: 'owner', label: 'Speaker 1', userId },
      update: {},
    });
    return speaker.id;
  }

  /** A transaction that holds the session's row. */
  transaction<Result>(work: (tx: MediaTransaction) => Promise<Result>): Promise<Result> {
    return this.database.slice(MEDIA_MODELS).transaction(async (tx) => {
      const { id, epoch } = this.session;
      const rows = await tx.$queryRaw<unknown[]>`
        select 1 from media.live_session
         where id = ${id} and epoch = ${epoch} and state not in ('ENDED', 'FAILED') for no key update`;
      if (rows.length === 0) throw new SessionLost(id);
      return work(tx);
    });
  }

  /** Gives the session back; whether to go on at all is for the next worker to see. */
  async release(): Promise<void> {
    const { id, epoch } = this.session;
    await this.database.prisma.$executeRaw`
      update media.live_session set worker_id = null where id = ${id} and epoch = ${epoch}`;
  }
}
