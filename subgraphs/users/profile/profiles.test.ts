import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount } from '../testing/an-account';
import { viewerTopic } from '../events';

const FIELDS = 'profile { displayName firstName lastName birthDate avatar { id } locale timeZone }';
const UPDATE = `mutation ($input: UpdateProfileInput!) {
  result: updateProfile(input: $input) { user { ${FIELDS} } errors { code path } }
}`;

interface Profile {
  displayName: string;
  firstName: string | null;
  lastName: string | null;
  birthDate: string | null;
  avatar: { id: string } | null;
  locale: string;
  timeZone: string;
}
interface Updated {
  user: { profile: Profile } | null;
  errors: { code: string; path: string[] }[];
}

let test_: TestPlatform;
let users: UsersSubgraph;
beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform, () => new Date('2026-11-26T12:00:00Z'));
});
afterAll(() => test_[Symbol.asyncDispose]());

const update = async (viewer: Viewer, input: object): Promise<Updated> =>
  (await askFor<{ result: Updated }>(users, viewer, UPDATE, { input })).result;
const changes = (viewer: Viewer): Promise<number> => test_.platform.events.head(viewerTopic(viewer.userId));

/** A stored file as the files subgraph leaves it. */
async function aFile(
  owner: Viewer,
  { mimeType = 'image/png', sizeBytes = 1_000, partOf = null as string | null } = {},
) {
  const id = newId('fil');
  await test_.platform.database.prisma.storedObject.create({
    data: { id, ownerId: owner.userId, name: 'picture', mimeType, sizeBytes, sha256: '', partOf },
  });
  return id;
}

test('changes what is given, leaves the rest, and tells the other devices', async () => {
  const { viewer } = await anAccount(test_.platform);
  const avatarFileId = await aFile(viewer);
  const all = {
    displayName: ' Cafe\u0301 ',
    firstName: 'Amina',
    lastName: ' Otieno ',
    birthDate: '2000-02-29',
    avatarFileId,
    locale: 'EN-us',
    timeZone: 'europe/berlin',
  };
  const changed = {
    displayName: 'Café',
    firstName: 'Amina',
    lastName: 'Otieno',
    birthDate: '2000-02-29',
    avatar: { id: avatarFileId },
    locale: 'en-US',
    timeZone: 'Europe/Berlin',
  };
  expect(await update(viewer, all)).toEqual({ user: { profile: changed }, errors: [] });
  expect(await update(viewer, { firstName: 'Neema' })).toMatchObject({
    user: { profile: { ...changed, firstName: 'Neema' } },
  });
  expect(await changes(viewer)).toBe(2);
});

test('null removes what may be missing, and a blank name does; what must be there stays', async () => {
  const { viewer } = await anAccount(test_.platform, { firstName: 'Amina', birthDate: new Date('2000-01-01') });
  await update(viewer, { lastName: 'Otieno', avatarFileId: await aFile(viewer) });
  const removed = { displayName: null, firstName: null, lastName: ' ', birthDate: null, avatarFileId: null };
  expect(await update(viewer, { ...removed, locale: null, timeZone: null })).toMatchObject({
    user: {
      profile: {
        displayName: 'Amina',
        firstName: null,
        lastName: null,
        birthDate: null,
        avatar: null,
        locale: 'sw',
        timeZone: 'Africa/Nairobi',
      },
    },
  });
});

test('without a change it tells nobody', async () => {
  const { viewer } = await anAccount(test_.platform);
  expect((await update(viewer, {})).errors).toEqual([]);
  expect((await update(viewer, { displayName: null })).errors).toEqual([]);
  expect(await changes(viewer)).toBe(0);
});

test.each<[field: string, value: string]>([
  ['displayName', '  '],
  ['displayName', 'a'.repeat(101)],
  ['firstName', 'a\0b'],
  ['lastName', 'a'.repeat(101)],
  ['birthDate', '2001-02-29'],
  ['birthDate', '2026-11-26'],
  ['birthDate', '1899-12-31'],
  ['birthDate', '0000-01-01'],
  ['birthDate', '2000-1-1'],
  ['birthDate', '2000-01-01T00:00:00Z'],
  ['birthDate', '1'.repeat(200)],
  ['timeZone', 'Mars/Olympus'],
])('with the %s %j nothing is changed', async (field, value) => {
  const { viewer } = await anAccount(test_.platform);
  const refused = await update(viewer, { displayName: 'Other', firstName: 'Other', [field]: value });
  expect(refused).toEqual({ user: null, errors: [{ code: 'INVALID_INPUT', path: ['input', field] }] });
  expect((await update(viewer, {})).user!.profile).toMatchObject({ displayName: 'Amina', firstName: null });
  expect(await changes(viewer)).toBe(0);
});

test('the newest possible birth date is yesterday', async () => {
  const { viewer } = await anAccount(test_.platform);
  expect((await update(viewer, { birthDate: '2026-11-25' })).user!.profile.birthDate).toBe('2026-11-25');
});

describe('the picture', () => {
  const path = ['input', 'avatarFileId'];

  test("is one of the viewer's files: a foreign, an unknown and an impossible one are answered alike", async () => {
    const { viewer } = await anAccount(test_.platform);
    const main = await aFile(viewer);
    const answers = new Set<string>();
    for (const avatarFileId of [
      await aFile(aViewer()),
      await aFile(viewer, { partOf: main }),
      newId('fil'),
      newId('med'),
      'fil_\0',
      '',
    ])
      answers.add(JSON.stringify(await update(viewer, { avatarFileId })));
    expect([...answers].map((answer) => JSON.parse(answer) as unknown)).toEqual([
      { user: null, errors: [{ code: 'NOT_FOUND', path }] },
    ]);
  });

  test.each([
    ['image/svg+xml', 1_000, 'TYPE_NOT_ALLOWED'],
    ['text/html', 1_000, 'TYPE_NOT_ALLOWED'],
    ['image/png', 5_000_001, 'FILE_TOO_LARGE'],
    ['image/png', 5_000_000, null],
  ])('of type %s with %i bytes: %s', async (mimeType, sizeBytes, code) => {
    const { viewer } = await anAccount(test_.platform);
    const { errors } = await update(viewer, { avatarFileId: await aFile(viewer, { mimeType, sizeBytes }) });
    expect(errors).toEqual(code === null ? [] : [{ code, path }]);
  });

  test('is gone with its file', async () => {
    const { viewer } = await anAccount(test_.platform);
    const avatarFileId = await aFile(viewer);
    await update(viewer, { avatarFileId });
    await test_.platform.database.prisma.storedObject.delete({ where: { id: avatarFileId } });
    expect((await update(viewer, {})).user!.profile.avatar).toBeNull();
  });
});

test('no other field of an account can be set: the input does not know it', async () => {
  const { user, viewer } = await anAccount(test_.platform);
  for (const [field, value] of Object.entries({
    id: newId('usr'),
    email: 'other@sauti.example',
    emailVerified: true,
    emailVerifiedAt: '2026-01-01T00:00:00Z',
    roles: ['ADMIN'],
    status: 'ACTIVE',
    credits: 1_000_000,
    planId: 'studio',
    preferences: {},
    createdAt: '2026-01-01T00:00:00Z',
    passwordHash: 'x',
    ownerId: newId('usr'),
  })) {
    const { data, errors } = await ask(users, viewer, UPDATE, { input: { displayName: 'Other', [field]: value } });
    expect([field, data, errors![0]!.extensions!['code']]).toEqual([field, null, 'BAD_USER_INPUT']);
  }
  expect(await test_.platform.database.prisma.user.findUnique({ where: { id: user.id } })).toEqual(user);
});

test('is for people who are signed in, and whose account is still there', async () => {
  for (const nobody of [null, aViewer()]) {
    const { errors } = await ask(users, nobody, UPDATE, { input: { displayName: 'Other' } });
    expect(errors![0]!.extensions!['code']).toBe('UNAUTHENTICATED');
  }
});
