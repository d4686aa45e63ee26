import { readConnection, type Connection, type PageRequest } from '../../../platform/connection';
import type { EventLog } from '../../../platform/events/event-log';
import { encodeCursor } from '../../../platform/events/topic';
import type { Viewer } from '../../../platform/identity/viewer';
import { transcriptTopic } from '../events';
import type { MediaTransaction } from '../records';
import type { LiveSessionRow, LiveState } from './live-session';
import type { LiveSessionRecords } from './session-records';

/** A session as the graph shows it: with the cursor of the event that has led to exactly this. */
export type ShownSession = LiveSessionRow & { cursor: string };

/** Reading live sessions. */
export class LiveSessions {
  constructor(
    private readonly records: LiveSessionRecords,
    private readonly events: EventLog,
  ) {}

  byIds(ids: readonly string[], ownerId: string): Promise<ShownSession[]> {
    return this.shown((tx) => this.records.byIds(ids, ownerId, tx));
  }

  /** A page of the viewer's sessions, newest first. Throws BAD_USER_INPUT for a page out of bounds. */
  list(viewer: Viewer, page: PageRequest, states: readonly LiveState[] | null): Promise<Connection<ShownSession>> {
    return readConnection(
      page,
      (session) => session.id,
      (take, before) => this.shown((tx) => this.records.ofOwner(viewer.userId, { states, take, before }, tx)),
    );
  }

  /** Row and cursor are of one moment: who reads the events behind the cursor misses no change. */
  private shown(read: (tx: MediaTransaction) => Promise<LiveSessionRow[]>): Promise<ShownSession[]> {
    return this.records.momentOf(async (tx) => {
      const rows = await read(tx);
      const topics = rows.map(({ transcriptId }) => transcriptTopic(transcriptId));
      const heads = await this.events.heads(topics, tx);
      return rows.map((row, index) => ({ ...row, cursor: encodeCursor(topics[index]!, heads[index]!) }));
    });
  }
}
