import type { Database } from '../../../../platform/database/database';

/** Rows deleted by one statement: those of a long session would take one too long. */
const ROWS = 2_000;

/** Deletes the audio of a session that has ended. */
export async function removeAudio({ prisma }: Database, sessionId: string): Promise<void> {
  for (let deleted = ROWS; deleted === ROWS;) {
    deleted = await prisma.$executeRaw`
      delete from media.live_audio where session_id = ${sessionId} and "row" in (
        select "row" from media.live_audio where session_id = ${sessionId} limit ${ROWS})`;
  }
}
