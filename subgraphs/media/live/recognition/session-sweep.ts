import { Prisma } from '../../../../platform/database/prisma-client/client';
import type { Platform } from '../../../../platform/platform';
import { MEDIA_MODELS } from '../../records';
import { announceSession, completeAudio, insertFlush } from '../ingest/audio-records';
import type { LiveState } from '../live-session';
import { removeAudio } from './remove-audio';

/** A session to which no audio came, and no writer, gives its place back after this time. */
const UNUSED_S = 60;
/** A pause that is longer is an end. */
const LONGEST_PAUSE_S = 24 * 3_600;
/** A writer that is held back, because so much waits to be heard, has not fallen silent. */
const HELD_BACK = { seconds: 5, containerBytes: 256 * 1_024 };
/** A connected writer is noted as present this often, in seconds, with something to spare. */
const SEEN_S = 7;
/**
 * A writer that has neither left nor been noted as present was lost together with the process it was connected to, and will be back.
 * A pause would cut its sentence in two, so it is waited for, this long.
 */
const LOST_WRITER_S = 60;
/** Sessions changed in one run, each in a transaction of its own. */
const PAGE = 100;

/**
 * What time alone does to sessions: one that has a place and does not use it pauses, one that has paused for a day ends, and
 * the audio of one that has ended goes. Any number of workers may do this; each session is changed once.
 */
export class SessionSweep {
  private readonly isDue: Prisma.Sql;

  constructor(
    private readonly platform: Pick<Platform, 'database' | 'events'>,
    { pauseAfterMs }: { pauseAfterMs: number },
  ) {
    const { seconds, containerBytes } = HELD_BACK;
    this.isDue = Prisma.sql`case state
      when 'WAITING' then coalesce(writer_seen_at, created_at) < ${ago(UNUSED_S)} and created_at < ${ago(UNUSED_S)}
      when 'LIVE' then last_audio_at < ${ago(pauseAfterMs / 1_000)}
           and (writer_seen_at is null or writer_seen_at > ${ago(SEEN_S)} or last_audio_at < ${ago(LOST_WRITER_S)})
           and stored_bytes - heard_bytes <=
           case encoding when 'CONTAINER' then ${containerBytes} else sample_rate * 2 * ${seconds} end
      when 'PAUSED' then coalesce(last_audio_at, created_at) < ${ago(LONGEST_PAUSE_S)} else false end`;
  }

  async run(): Promise<void> {
    const rows = await this.platform.database.prisma.$queryRaw<{ id: string }[]>`
      select id from media.live_session where state in ('WAITING', 'LIVE', 'PAUSED') and ${this.isDue} limit ${PAGE}`;
    for (const { id } of rows) await this.change(id);
  }

  /** Removes what a worker has left that was lost when it had just ended a session. */
  async removeLeftovers(): Promise<void> {
    const { database } = this.platform;
    const rows = await database.prisma.$queryRaw<{ id: string }[]>`
      select id from media.live_session s where state in ('ENDED', 'FAILED')
         and exists (select 1 from media.live_audio where session_id = s.id) limit ${PAGE}`;
    for (const { id } of rows) await removeAudio(database, id);
  }

  /** Looks again with the row locked: audio may have come meanwhile. */
  private change(id: string): Promise<void> {
    return this.platform.database.slice(MEDIA_MODELS).transaction(async (tx) => {
      const [row] = await tx.$queryRaw<{ state: LiveState }[]>`
        select state::text from media.live_session where id = ${id} and ${this.isDue} for no key update`;
      if (!row) return;
      if (row.state === 'PAUSED') await completeAudio(tx, id);
      else await tx.$executeRaw`update media.live_session set state = 'PAUSED' where id = ${id}`;
      if (row.state === 'LIVE') await insertFlush(tx, id); // what was said becomes final
      await announceSession(this.platform.events, tx, id);
    });
  }
}

function ago(seconds: number): Prisma.Sql {
  return Prisma.sql`clock_timestamp() - make_interval(secs => ${seconds})`;
}
