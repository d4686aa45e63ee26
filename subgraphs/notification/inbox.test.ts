import type { Viewer } from '../../platform/identity/viewer';
import { newId } from '../../platform/ids';
import type { Platform } from '../../platform/platform';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { ask, askFor, aViewer } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createNotificationSubgraph } from './subgraph';
import { inboxTopic } from './events';
import { Subscriber } from '../../platform/testing/subscriber';

let opened: TestPlatform;
let platform: Platform;
let subgraph: Subgraph;
beforeAll(async () => {
  opened = await openTestPlatform();
  platform = opened.platform;
  subgraph = createNotificationSubgraph(platform);
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Ids of new notifications, oldest first. */
async function notified(viewer: Viewer, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const id = newId('ntf');
    await platform.database.prisma.$transaction(async (tx) => {
      await tx.notification.create({
        data: { id, ownerId: viewer.userId, topic: 'transcript.ready', title: 'Ready', body: '', jobId: newId('job') },
      });
      await platform.events.append(tx, inboxTopic(viewer.userId), { notificationId: id });
    });
    ids.push(id);
  }
  return ids;
}

interface Shown {
  id: string;
  seenAt: string | null;
  readAt: string | null;
  archivedAt: string | null;
}

async function inboxOf(viewer: Viewer, variables: Record<string, unknown> = {}) {
  const query = `query ($first: Int, $after: String, $filter: InboxFilter) {
    inbox(first: $first, after: $after, filter: $filter) { nodes { id } unread pageInfo { hasNextPage endCursor } }
  }`;
  const { inbox } = await askFor<{
    inbox: { nodes: { id: string }[]; unread: number; pageInfo: { hasNextPage: boolean; endCursor: string } };
  }>(subgraph, viewer, query, variables);
  return { ids: inbox.nodes.map((node) => node.id), unread: inbox.unread, pageInfo: inbox.pageInfo };
}

async function mark(viewer: Viewer | null, input: Record<string, unknown>) {
  const query = `mutation ($input: MarkNotificationsInput!) {
    markNotifications(input: $input) {
      notifications { id seenAt readAt archivedAt } unread errors { code message path }
    }
  }`;
  return (
    await askFor<{ markNotifications: { notifications: Shown[]; unread: number; errors: { code: string }[] } }>(
      subgraph,
      viewer,
      query,
      { input },
    )
  ).markNotifications;
}

interface InboxEvent {
  __typename: string;
  cursor: string;
  unread: number;
  missed: number | null;
  isSnapshot: boolean;
  notification: Shown;
}

function follow(viewer: Viewer | null, variables: Record<string, unknown> = {}): Subscriber<InboxEvent> {
  const query = `subscription ($after: String) { inboxEvents(after: $after) {
    __typename
    ... on InboxChanged { cursor isSnapshot unread notification { id readAt } }
    ... on StreamGap { cursor missed }
  } }`;
  return new Subscriber(subgraph, viewer, query, variables);
}

function idsOf(events: InboxEvent[]): string[] {
  return events.map((event) => event.notification.id);
}

const instant = expect.stringMatching(/^\d{4}-.*Z$/) as string;

describe('inbox', () => {
  test('lists the notifications of the viewer only, newest first, page by page, with the count of the whole', async () => {
    const viewer = aViewer();
    const ids = await notified(viewer, 5);
    await notified(aViewer(), 1);
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await inboxOf(viewer, { first: 2, after });
      expect(page.unread).toBe(5);
      seen.push(...page.ids);
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(seen).toEqual([...ids].reverse());
  });

  test('leaves out what is read or archived when asked, and lists the archive', async () => {
    const viewer = aViewer();
    const [read, archived, fresh] = await notified(viewer, 3);
    await mark(viewer, { ids: [read], as: 'READ' });
    await mark(viewer, { ids: [archived], as: 'ARCHIVED' });
    expect(await inboxOf(viewer)).toMatchObject({ ids: [fresh, read], unread: 1 });
    expect(await inboxOf(viewer, { filter: { unreadOnly: true } })).toMatchObject({ ids: [fresh] });
    expect(await inboxOf(viewer, { filter: { archived: true } })).toMatchObject({ ids: [archived], unread: 1 });
    expect(await inboxOf(viewer, { filter: { unreadOnly: null, archived: null } })).toMatchObject({
      ids: [fresh, read],
    });
  });

  test('shows a notification as an entity to its owner only', async () => {
    const viewer = aViewer();
    const [id] = await notified(viewer, 1);
    const query = 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Notification { id title } } }';
    const of = [{ __typename: 'Notification', id }];
    expect(await askFor(subgraph, viewer, query, { of })).toEqual({ _entities: [{ id, title: 'Ready' }] });
    expect(await askFor(subgraph, aViewer(), query, { of })).toEqual({ _entities: [null] });
    const withNul = [{ __typename: 'Notification', id: 'ntf_a\u0000b' }];
    expect(await askFor(subgraph, viewer, query, { of: withNul })).toEqual({ _entities: [null] });
    expect(await askFor(subgraph, null, query, { of })).toEqual({ _entities: [null] });
  });

  test('refuses anonymous callers', async () => {
    for (const query of ['{ inbox { unread } }', 'mutation { markNotifications(input: { as: READ }) { unread } }']) {
      expect((await ask(subgraph, null, query)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    }
    expect((await follow(null).refusal()).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });
});

describe('markNotifications', () => {
  test('sets and takes back each mark', async () => {
    const viewer = aViewer();
    const [id] = await notified(viewer, 1);
    const after = async (as: string) => {
      const { notifications, unread } = await mark(viewer, { ids: [id], as });
      const { seenAt, readAt, archivedAt } = notifications[0]!;
      return { seenAt, readAt, archivedAt, unread };
    };
    expect(await after('SEEN')).toEqual({ seenAt: instant, readAt: null, archivedAt: null, unread: 1 });
    expect(await after('READ')).toEqual({ seenAt: instant, readAt: instant, archivedAt: null, unread: 0 });
    expect(await after('UNREAD')).toEqual({ seenAt: instant, readAt: null, archivedAt: null, unread: 1 });
    expect(await after('ARCHIVED')).toEqual({ seenAt: instant, readAt: null, archivedAt: instant, unread: 0 });
    expect(await after('UNARCHIVED')).toEqual({ seenAt: instant, readAt: null, archivedAt: null, unread: 1 });
  });

  test('takes what is read for seen', async () => {
    const viewer = aViewer();
    const ids = await notified(viewer, 1);
    const { notifications } = await mark(viewer, { ids, as: 'READ' });
    expect(notifications).toMatchObject([{ seenAt: instant, readAt: instant }]);
  });

  test('answers the named ones in the order given, and keeps the first time of a mark', async () => {
    const viewer = aViewer();
    const [first, second] = (await notified(viewer, 2)) as [string, string];
    const once = await mark(viewer, { ids: [second], as: 'READ' });
    const twice = await mark(viewer, { ids: [second, first, second], as: 'READ' });
    expect(twice.notifications.map((notification) => notification.id)).toEqual([second, first]);
    expect(twice.notifications[0]).toEqual(once.notifications[0]);
  });

  test('marks all that were written before an instant, and answers those that changed, newest first', async () => {
    const viewer = aViewer();
    const early = await notified(viewer, 3);
    await mark(viewer, { ids: [early[1]], as: 'READ' });
    await platform.database.prisma.notification.updateMany({
      where: { id: { in: early } },
      data: { createdAt: new Date('2026-01-01T00:00:00Z') },
    });
    const [late] = await notified(viewer, 1);
    const { notifications, unread } = await mark(viewer, { before: '2026-02-01T00:00:00Z', as: 'READ' });
    expect(notifications.map(({ id }) => id)).toEqual([early[2], early[0]]);
    expect(unread).toBe(1);
    expect((await inboxOf(viewer, { filter: { unreadOnly: true } })).ids).toEqual([late]);
  });

  test('marks all, however many there are, tells of each once and answers the newest 100', async () => {
    const viewer = aViewer();
    const stranger = aViewer();
    await notified(stranger, 1);
    const ids = Array.from({ length: 450 }, () => newId('ntf')).sort();
    await platform.database.prisma.notification.createMany({
      data: ids.map((id) => ({ id, ownerId: viewer.userId, topic: 'transcript.ready', title: 'Ready', body: '' })),
    });
    const { notifications, unread } = await mark(viewer, { as: 'READ' });
    expect(notifications.map(({ id }) => id)).toEqual([...ids].reverse().slice(0, 100));
    expect(unread).toBe(0);
    expect(await platform.events.head(inboxTopic(viewer.userId))).toBe(450);
    expect((await mark(viewer, { as: 'READ' })).notifications).toEqual([]);
    expect((await inboxOf(stranger)).unread).toBe(1);
  });

  test('refuses all when one is unknown, malformed or of somebody else, and changes nothing', async () => {
    const viewer = aViewer();
    const [own] = await notified(viewer, 1);
    const [foreign] = await notified(aViewer(), 1);
    for (const id of [foreign!, newId('ntf'), 'ntf_\u0000']) {
      expect(await mark(viewer, { ids: [own, id], as: 'READ' })).toEqual({
        notifications: [],
        unread: 1,
        errors: [
          { code: 'NOT_FOUND', message: `You have no notification with the ID "${id}".`, path: ['input', 'ids'] },
        ],
      });
    }
    expect(await platform.events.head(inboxTopic(viewer.userId))).toBe(1);
  });

  test('refuses contradictory and endless requests', async () => {
    const viewer = aViewer();
    const [id] = await notified(viewer, 1);
    const both = await mark(viewer, { ids: [id], before: new Date().toISOString(), as: 'READ' });
    expect(both).toMatchObject({ unread: 1, errors: [{ code: 'INVALID_INPUT', path: ['input', 'before'] }] });
    const many = await mark(viewer, { ids: Array.from({ length: 101 }, () => id), as: 'READ' });
    expect(many).toMatchObject({ unread: 1, errors: [{ code: 'INVALID_INPUT', path: ['input', 'ids'] }] });
  });

  test('marks each once when the same ones are marked from many sides at the same time', async () => {
    const viewer = aViewer();
    const ids = await notified(viewer, 20);
    await Promise.all(
      [ids, [...ids].reverse(), null, ids, null].map((some) => mark(viewer, { ids: some, as: 'READ' })),
    );
    expect(await platform.events.head(inboxTopic(viewer.userId))).toBe(40);
  });
});

describe('inboxEvents', () => {
  test('starts with the newest unread notifications, at most 25, and goes on with what is new and what is marked', async () => {
    const viewer = aViewer();
    const ids = await notified(viewer, 28);
    await mark(viewer, { ids: [ids[27]], as: 'READ' });
    const stream = follow(viewer);
    expect(idsOf(await stream.take(25))).toEqual(ids.slice(2, 27));
    const [fresh] = await notified(viewer, 1);
    await mark(viewer, { ids: [ids[0], ids[27]], as: 'READ' });
    expect(await stream.take(2)).toMatchObject([
      { notification: { id: fresh } },
      { notification: { id: ids[0], readAt: instant }, unread: 27 },
    ]);
    await stream.leave();
  });

  test('goes on behind a cursor, and behind a gap from the present state', async () => {
    const viewer = aViewer();
    const [first] = await notified(viewer, 1);
    const beginning = follow(viewer);
    const [present] = await beginning.take(1);
    await beginning.leave();
    const [second, third] = await notified(viewer, 2);
    const resumed = follow(viewer, { after: present!.cursor });
    expect(idsOf(await resumed.take(2))).toEqual([second, third]);
    await resumed.leave();

    const topic = `inbox:${viewer.userId}`;
    await platform.database.prisma.$executeRaw`
      update platform.event set at = now() - interval '8 days' where topic = ${topic} and seq <= 2`;
    await platform.events.prune(7 * 24 * 3_600_000);
    const late = follow(viewer, { after: present!.cursor });
    const [gap, ...state] = await late.take(4);
    expect(gap).toMatchObject({ __typename: 'StreamGap', missed: 2 });
    expect(idsOf(state)).toEqual([first, second, third]);
    const [fourth] = await notified(viewer, 1);
    expect(idsOf(await late.take(1))).toEqual([fourth]);
    await late.leave();
  });

  test('no two notifications it begins with share a cursor, and from all but the last it begins anew', async () => {
    const viewer = aViewer();
    const ids = await notified(viewer, 3);
    const stream = follow(viewer);
    const present = await stream.take(3);
    await stream.leave();
    expect(present.map(({ isSnapshot }) => isSnapshot)).toEqual([true, true, true]);
    const [fresh] = await notified(viewer, 1);
    for (const { cursor } of present.slice(0, 2)) {
      const again = follow(viewer, { after: cursor });
      expect(idsOf(await again.take(4))).toEqual([...ids, fresh]);
      await again.leave();
    }
    const behind = follow(viewer, { after: present[2]!.cursor });
    expect(await behind.take(1)).toMatchObject([{ isSnapshot: false, notification: { id: fresh } }]);
    await behind.leave();
  });

  test('refuses the cursor of another stream', async () => {
    const [viewer, stranger] = [aViewer(), aViewer()];
    await notified(stranger, 1);
    const foreign = follow(stranger);
    const [event] = await foreign.take(1);
    await foreign.leave();
    expect((await follow(viewer, { after: event!.cursor }).refusal()).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});
