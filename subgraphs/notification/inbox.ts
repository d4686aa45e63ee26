import { readConnection, type Connection, type PageRequest } from '../../platform/connection';
import { UserProblemError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { openStream, type StreamGap, type StreamItem } from '../../platform/events/stream';
import { isId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import type { NotificationProblemCode } from './errors';
import { inboxTopic } from './events';
import type { Mark, NotificationRecords, NotificationRow, NotificationTransaction } from './records';

/** How many notifications one call may name. */
const MAX_NAMED = 100;
/** How many unread notifications a stream begins with at most. */
const MAX_PRESENT = 25;
/** How many of the changed ones are answered when all were marked. */
const MAX_ANSWERED = 100;
/** How many are marked in one transaction; the owner's inbox can change in no other way meanwhile. */
const MARKED_AT_ONCE = 200;

export interface InboxFilter {
  unreadOnly?: boolean | null | undefined;
  archived?: boolean | null | undefined;
}

export interface MarkRequest {
  ids?: readonly string[] | null | undefined;
  before?: Date | null | undefined;
  as: Mark;
}

/** A notification that is new or was marked, and where that lies in the stream of the inbox. */
export type InboxChange = StreamItem<{ notification: NotificationRow }>;

/** The viewer's notifications. */
export class Inbox {
  constructor(
    private readonly records: NotificationRecords,
    private readonly events: EventLog,
  ) {}

  /** A page of the viewer's notifications, newest first. */
  list(viewer: Viewer, page: PageRequest, filter: InboxFilter): Promise<Connection<NotificationRow>> {
    const wanted = { unreadOnly: filter.unreadOnly ?? false, archived: filter.archived ?? false };
    return readConnection<NotificationRow>(
      page,
      ({ id }) => id,
      (take, beforeId) => this.records.notifications(viewer.userId, wanted, take, beforeId),
    );
  }

  /** How many notifications are neither read nor archived. */
  unreadCount(viewer: Viewer): Promise<number> {
    return this.records.unreadCount(viewer.userId);
  }

  /**
   * Marks the named notifications and answers them all, in the order given; or all that were written before an instant, and
   * answers the newest {@link MAX_ANSWERED} of those that changed, newest first. NOT_FOUND, and nothing changed, when one
   * is unknown or somebody else's.
   */
  mark(viewer: Viewer, { ids, before, as }: MarkRequest): Promise<NotificationRow[]> {
    if (ids == null) return this.markAll(viewer, before ?? null, as);
    if (before != null) throw problem('INVALID_INPUT', 'Give either "ids" or "before"; both were given.', 'before');
    if (ids.length > MAX_NAMED)
      throw problem(
        'INVALID_INPUT',
        `"ids" may name at most ${MAX_NAMED} notifications; it named ${ids.length}.`,
        'ids',
      );
    ids.forEach((id) => isId('ntf', id) || refuse(id));
    return this.records.transaction(async (tx) => {
      const changed = await this.records.mark(tx, viewer.userId, [...ids], as);
      const rows = await this.records.notificationsByIds(viewer.userId, ids, tx);
      const named = [...new Set(ids)].map((id) => rows.find((row) => row.id === id) ?? refuse(id));
      await this.announce(tx, viewer, changed);
      return named;
    });
  }

  /** The inbox as it is and as it changes, until the signal aborts; see {@link openStream}. Throws BAD_USER_INPUT. */
  follow(
    viewer: Viewer,
    after: string | null | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<InboxChange | StreamGap, void, void> {
    const topic = inboxTopic(viewer.userId);
    return openStream(
      this.events,
      topic,
      {
        present: () => this.present(viewer),
        contentOf: async ({ notificationId }) => {
          const [notification] = await this.records.notificationsByIds(viewer.userId, [notificationId]);
          return notification ? { notification } : null;
        },
        isOver: () => false,
      },
      { after, start: 'present', signal },
    );
  }

  private async present(viewer: Viewer): Promise<{ head: number; items: { notification: NotificationRow }[] }> {
    const topic = inboxTopic(viewer.userId);
    return this.records.momentOf(async (tx) => {
      const head = await this.events.head(topic, tx);
      const unread = await this.records.notifications(
        viewer.userId,
        { unreadOnly: true, archived: false },
        MAX_PRESENT,
        null,
        tx,
      );
      return { head, items: unread.reverse().map((notification) => ({ notification })) };
    });
  }

  /** In steps of bounded size; each step passes by what it has seen, so notifications that arrive meanwhile end nothing. */
  private async markAll(viewer: Viewer, before: Date | null, as: Mark): Promise<NotificationRow[]> {
    const changed: NotificationRow[] = [];
    let belowId: string | null = null;
    for (;;) {
      const ids: string[] = await this.records.unlike(viewer.userId, as, { before, belowId, take: MARKED_AT_ONCE });
      if (ids.length === 0) return changed;
      const step = await this.records.transaction(async (tx) => {
        const marked = await this.records.mark(tx, viewer.userId, ids, as);
        await this.announce(tx, viewer, marked);
        return marked;
      });
      changed.push(...step.reverse().slice(0, MAX_ANSWERED - changed.length));
      belowId = ids.at(-1)!;
    }
  }

  private async announce(
    tx: NotificationTransaction,
    viewer: Viewer,
    changed: readonly NotificationRow[],
  ): Promise<void> {
    for (const { id } of changed) await this.events.append(tx, inboxTopic(viewer.userId), { notificationId: id });
  }
}

function refuse(id: string): never {
  throw problem('NOT_FOUND', `You have no notification with the ID "${id.slice(0, 40)}".`, 'ids');
}

function problem(
  code: NotificationProblemCode,
  message: string,
  field: string,
): UserProblemError<NotificationProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}
