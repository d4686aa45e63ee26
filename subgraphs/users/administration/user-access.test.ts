import type { LogItem } from '../../../platform/events/event-log';
import { createMailSeal } from '../../../platform/mail/mail';
import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { ask, askFor } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { accessTopic, viewerTopic, type AccessChange } from '../events';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount, type Account } from '../testing-accounts';
import { makeAdministrator } from './make-administrator';

const UPDATE = `mutation ($input: UpdateUserAccessInput!) { result: updateUserAccess(input: $input) {
  user { id roles status suspension { reason endsAt } } errors { code path } } }`;

interface Answer {
  user: object | null;
  errors: { code: string; path: string[] }[];
}

let test_: TestPlatform;
let users: UsersSubgraph;
let admin: Account;
let amina: Account;
/** Where the topic of access changes stood before the test. */
let before: number;

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
});
beforeEach(async () => {
  await test_.platform.database.prisma.user.deleteMany();
  before = await test_.platform.events.head(accessTopic);
  admin = await anAccount(test_.platform, { roles: ['ADMIN'] });
  amina = await anAccount(test_.platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

const update = async (input: object, viewer: Viewer = admin.viewer): Promise<Answer> =>
  (
    await askFor<{ result: Answer }>(users, viewer, UPDATE, {
      input: { userId: amina.user.id, reason: 'Because', ...input },
    })
  ).result;
const codeOf = async (viewer: Viewer | null) =>
  (await ask(users, viewer, UPDATE, { input: { userId: amina.user.id, reason: 'Because' } })).errors?.[0]?.extensions?.[
    'code'
  ];
const refusal = ({ user, errors }: Answer) => [user, ...errors.map(({ code, path }) => `${code} ${path.join('.')}`)];

/** What the topic of access changes was told since the test began. */
async function accessChanges(): Promise<AccessChange[]> {
  const { events } = test_.platform;
  const head = await events.head(accessTopic);
  const changes: AccessChange[] = [];
  if (head === before) return changes;
  for await (const item of events.read(accessTopic, { after: before, signal: new AbortController().signal })) {
    changes.push((item as Extract<LogItem<AccessChange>, { type: 'event' }>).payload);
    if (item.seq === head) break;
  }
  return changes;
}

test('a suspension ends sessions and keys, is announced, mailed and audited, and can be lifted', async () => {
  const { prisma } = test_.platform.database;
  const key = { id: newId('key'), userId: amina.user.id, name: 'k', prefix: 'p', keyHash: 'h', scopes: [] };
  await prisma.apiKey.create({ data: key });
  const endsAt = new Date(Date.now() + 86_400_000).toISOString();

  const answer = await update({ status: 'SUSPENDED', reason: 'Spam in titles', endsAt });
  expect(answer).toEqual({
    user: { id: amina.user.id, roles: ['USER'], status: 'SUSPENDED', suspension: { reason: 'Spam in titles', endsAt } },
    errors: [],
  });
  expect(await prisma.session.findUnique({ where: { id: amina.viewer.sessionId } })).toMatchObject({
    endedAt: expect.any(Date),
  });
  expect(await prisma.apiKey.findUnique({ where: { id: key.id } })).toMatchObject({ revokedAt: expect.any(Date) });
  expect(await prisma.session.findUnique({ where: { id: admin.viewer.sessionId } })).toMatchObject({ endedAt: null });
  expect(await accessChanges()).toEqual([
    { kind: 'ended', sessionId: amina.viewer.sessionId },
    { kind: 'ended', sessionId: key.id },
    { kind: 'changed', userId: amina.user.id, at: expect.any(String) },
  ]);
  expect(await test_.platform.events.head(viewerTopic(amina.user.id))).toBe(1);
  const [mail] = await prisma.mail.findMany({ where: { recipient: amina.user.email } });
  expect(mail).toMatchObject({ recipient: amina.user.email, kind: 'account.suspended' });
  expect(createMailSeal(test_.platform.secret).unseal(mail!.body!)).toContain('The reason: Spam in titles');
  expect(await prisma.auditEvent.findMany({ where: { subjectId: amina.user.id } })).toMatchObject([
    {
      actorId: admin.user.id,
      subjectId: amina.user.id,
      metadata: { reason: 'Spam in titles', status: 'SUSPENDED', statusBefore: 'ACTIVE', endsAt },
    },
  ]);

  expect(await update({ status: 'ACTIVE' })).toMatchObject({ user: { status: 'ACTIVE', suspension: null } });
});

test('other roles void the account’s tokens and leave its sessions; USER is always among them', async () => {
  const roles = ['USER', 'MODERATOR', 'CREATOR', 'CREATOR'];
  expect(await update({ roles })).toMatchObject({ user: { roles: ['USER', 'CREATOR', 'MODERATOR'] } });
  const { prisma } = test_.platform.database;
  expect(await prisma.session.findUnique({ where: { id: amina.viewer.sessionId } })).toMatchObject({ endedAt: null });
  expect(await accessChanges()).toEqual([{ kind: 'changed', userId: amina.user.id, at: expect.any(String) }]);
  expect(await update({ roles: [] })).toMatchObject({ user: { roles: ['USER'] } });
});

test.each<[what: string, input: object, refusal: string]>([
  ['an empty reason', { reason: '  ' }, 'INVALID_INPUT input.reason'],
  ['a reason of 501 characters', { reason: 'a'.repeat(501) }, 'INVALID_INPUT input.reason'],
  ['a reason of two lines', { reason: 'a\r\nBcc: b' }, 'INVALID_INPUT input.reason'],
  ['the status PENDING_DELETION', { status: 'PENDING_DELETION' }, 'INVALID_INPUT input.status'],
  ['an end without a suspension', { endsAt: '2099-01-01T00:00:00Z' }, 'INVALID_INPUT input.endsAt'],
  ['an end in the past', { status: 'SUSPENDED', endsAt: '2020-01-01T00:00:00Z' }, 'INVALID_INPUT input.endsAt'],
  ['an unknown plan', { planId: 'none', roles: ['CREATOR'] }, 'INVALID_INPUT input.planId'],
  ['an unknown account', { userId: newId('usr') }, 'NOT_FOUND input.userId'],
  ['an id of another kind', { userId: newId('med') }, 'NOT_FOUND input.userId'],
])('refuses %s, and changes nothing', async (_what, input, expected) => {
  expect(refusal(await update(input))).toEqual([null, expected]);
  const { prisma } = test_.platform.database;
  expect(await prisma.user.findUnique({ where: { id: amina.user.id } })).toEqual(amina.user);
  expect(await accessChanges()).toEqual([]);
  expect(await prisma.auditEvent.count({ where: { actorId: admin.user.id } })).toBe(0);
});

test('another plan is announced to the account and voids no token', async () => {
  expect(await update({ planId: 'team' })).toMatchObject({ user: { id: amina.user.id }, errors: [] });
  const { prisma } = test_.platform.database;
  const account = await prisma.creditAccount.findUnique({ where: { ownerId: amina.user.id } });
  expect(account).toMatchObject({ planId: 'team' });
  expect(await accessChanges()).toEqual([]);
  expect(await test_.platform.events.head(viewerTopic(amina.user.id))).toBeGreaterThan(0);
});

test('the last administrator can neither give the role away nor be suspended; of two, one can', async () => {
  const userId = admin.user.id;
  expect(refusal(await update({ userId, roles: ['USER'] }))).toEqual([null, 'INVALID_STATE input.roles']);
  expect(refusal(await update({ userId, status: 'SUSPENDED' }))).toEqual([null, 'INVALID_STATE input.status']);
  const second = await anAccount(test_.platform, { roles: ['ADMIN'], status: 'SUSPENDED' });
  expect(refusal(await update({ userId, roles: [] }))).toEqual([null, 'INVALID_STATE input.roles']);
  await update({ userId: second.user.id, status: 'ACTIVE' });
  expect(await update({ userId, roles: [] })).toMatchObject({ user: { roles: ['USER'] }, errors: [] });
});

test('of two administrators who dismiss each other at once, one stays', async () => {
  const second = await anAccount(test_.platform, { roles: ['ADMIN'] });
  const dismiss = (by: Account, whom: Account) =>
    ask(users, by.viewer, UPDATE, { input: { userId: whom.user.id, roles: [], reason: 'You go' } });
  await Promise.all([dismiss(admin, second), dismiss(second, admin)]);
  const { prisma } = test_.platform.database;
  expect(await prisma.user.count({ where: { roles: { has: 'ADMIN' } } })).toBe(1);
});

test('an account that is to be deleted keeps that state', async () => {
  const { prisma } = test_.platform.database;
  await prisma.user.update({ where: { id: amina.user.id }, data: { status: 'PENDING_DELETION' } });
  for (const status of ['ACTIVE', 'SUSPENDED'])
    expect(refusal(await update({ status }))).toEqual([null, 'INVALID_STATE input.status']);
});

test('it takes the scope, and an account that is still an administrator', async () => {
  expect(await codeOf(null)).toBe('UNAUTHENTICATED');
  expect(await codeOf(amina.viewer)).toBe('FORBIDDEN');
  const { prisma } = test_.platform.database;
  await prisma.user.update({ where: { id: admin.user.id }, data: { roles: [] } });
  expect(await codeOf(admin.viewer)).toBe('FORBIDDEN');
});

test('the first administrator is made from outside, once', async () => {
  expect(await makeAdministrator(test_.platform, 'nobody@sauti.example')).toEqual({ outcome: 'unknown' });
  expect(await makeAdministrator(test_.platform, amina.user.emailKey)).toMatchObject({ outcome: 'made' });
  expect(await makeAdministrator(test_.platform, amina.user.emailKey)).toMatchObject({ outcome: 'already' });
  const { prisma } = test_.platform.database;
  expect(await prisma.user.findUnique({ where: { id: amina.user.id } })).toMatchObject({ roles: ['ADMIN'] });
  expect(await accessChanges()).toEqual([{ kind: 'changed', userId: amina.user.id, at: expect.any(String) }]);
  const audited = await prisma.auditEvent.findMany({ where: { subjectId: amina.user.id } });
  expect(audited).toMatchObject([{ action: 'access.changed', actorId: null }]);
});
