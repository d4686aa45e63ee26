import type { Viewer } from '../../../platform/identity/viewer';
import { askFor, aViewer } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { Subscriber } from '../../../platform/testing/subscriber';
import { viewerTopic } from '../events';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount } from '../testing/an-account';

interface Change {
  __typename: string;
  cursor: string;
  isSnapshot: boolean;
  userId: string;
  reason: string | null;
  missed: number | null;
  viewer: { profile: { displayName: string }; preferences: { version: number } };
}

let test_: TestPlatform;
let users: UsersSubgraph;
beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

const follow = (viewer: Viewer | null, after?: string): Subscriber<Change> =>
  new Subscriber(
    users,
    viewer,
    `subscription ($after: String) { viewerChanged(after: $after) {
      __typename
      ... on ViewerChange { cursor isSnapshot userId reason viewer { profile { displayName } preferences { version } } }
      ... on StreamGap { cursor missed }
    } }`,
    { after },
  );
const rename = (viewer: Viewer, displayName: string): Promise<unknown> =>
  askFor(
    users,
    viewer,
    'mutation ($name: String!) { updateProfile(input: { displayName: $name }) { errors { code } } }',
    {
      name: displayName,
    },
  );
const prefer = (viewer: Viewer, patch: object): Promise<unknown> =>
  askFor(
    users,
    viewer,
    'mutation ($patch: JSON!) { updatePreferences(input: { patch: $patch }) { errors { code } } }',
    {
      patch,
    },
  );

test('begins with the account as it is, and goes on with each change and its reason', async () => {
  const { user, viewer } = await anAccount(test_.platform);
  const stream = follow(viewer);
  expect(await stream.take(1)).toMatchObject([
    { isSnapshot: true, userId: user.id, reason: null, viewer: { profile: { displayName: 'Amina' } } },
  ]);
  await rename(viewer, 'Neema');
  await prefer(viewer, { a: 1 });
  const changes = await stream.take(2);
  expect(changes).toMatchObject([
    { isSnapshot: false, reason: 'PROFILE', viewer: { profile: { displayName: 'Neema' } } },
    { isSnapshot: false, reason: 'PREFERENCES', viewer: { preferences: { version: 1 } } },
  ]);
  expect(new Set(changes.map(({ cursor }) => cursor)).size).toBe(2);
  await stream.leave();
});

test('goes on behind a cursor with what was missed, each once', async () => {
  const { viewer } = await anAccount(test_.platform);
  const first = follow(viewer);
  const [present] = await first.take(1);
  await first.leave();
  await rename(viewer, 'Neema');
  await prefer(viewer, { a: 1 });
  const second = follow(viewer, present!.cursor);
  const missed = await second.take(2);
  expect(missed.map(({ reason }) => reason)).toEqual(['PROFILE', 'PREFERENCES']);
  await second.leave();
  const third = follow(viewer, missed[0]!.cursor);
  expect((await third.take(1)).map(({ reason }) => reason)).toEqual(['PREFERENCES']);
  await third.leave();
});

test('behind a gap it tells the account as it is', async () => {
  const { viewer } = await anAccount(test_.platform);
  const first = follow(viewer);
  const [present] = await first.take(1);
  await first.leave();
  await rename(viewer, 'Neema');
  await prefer(viewer, { a: 1 });
  const topic = viewerTopic(viewer.userId).name;
  await test_.platform.database.prisma.$executeRaw`
    update platform.event set at = now() - interval '8 days' where topic = ${topic} and seq <= 1`;
  await test_.platform.events.prune(7 * 24 * 3_600_000);
  const late = follow(viewer, present!.cursor);
  expect(await late.take(2)).toMatchObject([
    { __typename: 'StreamGap', missed: 2 },
    { isSnapshot: true, reason: null, viewer: { profile: { displayName: 'Neema' } } },
  ]);
  await late.leave();
});

test('tells nobody else, and takes no cursor of another account', async () => {
  const [amina, baraka] = [await anAccount(test_.platform), await anAccount(test_.platform)];
  const stream = follow(amina.viewer);
  const [present] = await stream.take(1);
  await rename(baraka.viewer, 'Other');
  await rename(amina.viewer, 'Neema');
  expect(await stream.take(1)).toMatchObject([{ userId: amina.user.id, reason: 'PROFILE' }]);
  await stream.leave();
  for (const cursor of [present!.cursor, 'x', ''])
    expect((await follow(baraka.viewer, cursor).refusal()).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ]);
});

test('is for people who are signed in, and ends with the account', async () => {
  for (const nobody of [null, aViewer()])
    expect(await follow(nobody).refusal()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      ended: true,
    });
  const { user, viewer } = await anAccount(test_.platform);
  const stream = follow(viewer);
  await stream.take(1);
  const end = stream.refusal();
  await test_.platform.database.prisma.user.delete({ where: { id: user.id } });
  expect(await end).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }], ended: true });
});
