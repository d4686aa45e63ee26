import { createMailSeal } from '../platform/mail/mail';
import { newId } from '../platform/ids';
import type { Viewer } from '../platform/identity/viewer';
import { putInLine } from '../platform/jobs/job';
import { requestRetry } from '../platform/jobs/job-commands';
import { ask, askFor } from '../platform/testing/calls';
import { jobEnd } from '../platform/testing/job-end';
import { openTestPlatform, type TestPlatform } from '../platform/testing/platform';
import { startWorkerStack } from '../platform/testing/worker-stack';
import { SignInRefused } from '../subgraphs/users/accounts/sign-in';
import { cancelDeletion } from '../subgraphs/users/privacy/cancel-deletion';
import { PrivacyRecords } from '../subgraphs/users/privacy/privacy-records';
import { createAccountHandlers } from '../subgraphs/users/privacy/jobs/handlers';
import { restartDeletions } from '../subgraphs/users/privacy/tidy-accounts';
import { USERS_MODELS, type UserRow } from '../subgraphs/users/records';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraphs/users/subgraph';
import { anAccount, PASSWORD, type Account } from '../subgraphs/users/testing-accounts';
import { accountSlices } from './account-slices';

const DELETE = `mutation ($input: DeleteAccountInput!) { result: deleteAccount(input: $input) {
  job { id kind state credits runsAfter receipts { subgraph } archive { id } } errors { code path } } }`;
const DAY_MS = 86_400_000;

let test_: TestPlatform;
let users: UsersSubgraph;
let amina: Account;

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
});
beforeEach(async () => {
  amina = await anAccount(test_.platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

interface Asked {
  job: { id: string; runsAfter: string } | null;
  errors: { code: string; path: string[] | null }[];
}
const deleteAccount = async (input: object = { password: PASSWORD }, viewer: Viewer = amina.viewer): Promise<Asked> =>
  (await askFor<{ result: Asked }>(users, viewer, DELETE, { input })).result;
const userOf = ({ user }: Account): Promise<UserRow | null> =>
  test_.platform.database.prisma.user.findUnique({ where: { id: user.id } });

/** As a sign-in does. */
async function cancel({ user }: Account): Promise<UserRow> {
  const { database, events } = test_.platform;
  const slice = database.slice(USERS_MODELS);
  const present = (await database.prisma.user.findUnique({ where: { id: user.id } }))!;
  const tools = { records: new PrivacyRecords(slice), events };
  return slice.transaction((tx) => cancelDeletion(tools, tx, present, { viewer: null, requestId: 'r' }));
}

function startWorker() {
  const { platform } = test_;
  const mailSeal = createMailSeal(platform.secret);
  return startWorkerStack(platform, createAccountHandlers({ platform, slices: accountSlices(platform), mailSeal }));
}

/** The grace period is over. */
async function makeDue(jobId: string): Promise<void> {
  const { prisma } = test_.platform.database;
  await prisma.$transaction(async (tx) => putInLine(tx, await tx.job.findUniqueOrThrow({ where: { id: jobId } })));
}

test('asking for it shuts the account at once, tells the owner, and deletes nothing before 14 days are over', async () => {
  const { prisma } = test_.platform.database;
  const key = { id: newId('key'), userId: amina.user.id, name: 'k', prefix: 'p', keyHash: amina.user.id, scopes: [] };
  await prisma.apiKey.create({ data: key });
  const { job, errors } = await deleteAccount();
  expect(errors).toEqual([]);
  expect(job).toEqual({
    ...{ id: expect.any(String), kind: 'DELETE_ACCOUNT', state: 'QUEUED', credits: 0 },
    ...{ runsAfter: expect.any(String), receipts: [], archive: null },
  });
  expect(Math.abs(Date.parse(job!.runsAfter) - Date.now() - 14 * DAY_MS)).toBeLessThan(60_000);
  expect(await userOf(amina)).toMatchObject({
    ...{ status: 'PENDING_DELETION', deletesAt: new Date(job!.runsAfter), deletionJobId: job!.id },
  });
  const [line] = await prisma.jobOutbox.findMany({ where: { jobId: job!.id } });
  expect(Math.abs(line!.runAt.getTime() - Date.parse(job!.runsAfter))).toBeLessThan(60_000);
  expect(await prisma.session.count({ where: { userId: amina.user.id, endedAt: null } })).toBe(0);
  expect(await prisma.apiKey.count({ where: { userId: amina.user.id, revokedAt: null } })).toBe(0);
  const [mail] = await prisma.mail.findMany({ where: { recipient: amina.user.email } });
  expect(mail).toMatchObject({ kind: 'account.deletionAsked' });
  expect(createMailSeal(test_.platform.secret).unseal(mail!.body!)).toContain(job!.runsAfter.slice(0, 10));
});

test('signing in with the password through the graph calls it off', async () => {
  await deleteAccount();
  const signIn = `mutation ($input: SignInInput!) { result: signIn(input: $input) {
    viewer { id } tokens { accessToken } errors { code } } }`;
  const input = { email: amina.user.email, password: PASSWORD };
  expect(await askFor(users, null, signIn, { input })).toEqual({
    result: { viewer: { id: amina.user.id }, tokens: { accessToken: expect.any(String) }, errors: [] },
  });
  expect(await userOf(amina)).toMatchObject({ status: 'ACTIVE', deletesAt: null });
});

test('signing in before the end calls it off: the account is as it was, and the job is canceled', async () => {
  const { job } = await deleteAccount();
  await using _worker = startWorker();
  expect(await cancel(amina)).toMatchObject({ status: 'ACTIVE', deletesAt: null, deletionJobId: null });
  expect(await jobEnd(test_.platform, job!.id)).toMatchObject({ state: 'CANCELED' });
  expect(await userOf(amina)).toEqual(amina.user);
  const { prisma } = test_.platform.database;
  const audited = await prisma.auditEvent.findMany({ where: { actorId: amina.user.id }, orderBy: { id: 'asc' } });
  expect(audited.map(({ action }) => action)).toEqual(['account.deletionAsked', 'account.deletionCanceled']);
});

test('a deletion that was called off deletes nothing when somebody starts its job again', async () => {
  const { job } = await deleteAccount();
  await using _worker = startWorker();
  await cancel(amina);
  await jobEnd(test_.platform, job!.id);
  const { database, events } = test_.platform;
  await database.prisma.$transaction((tx) => requestRetry(tx, events, { jobId: job!.id, ownerId: amina.user.id }));
  expect(await jobEnd(test_.platform, job!.id)).toMatchObject({ state: 'FAILED', errorCode: 'INVALID_STATE' });
  expect(await userOf(amina)).toEqual(amina.user);
});

test('asked again after it was called off, the first job’s end does not open the account', async () => {
  const first = await deleteAccount();
  await cancel(amina); // no worker runs: the job waits for its end
  const session = { id: newId('ses'), userId: amina.user.id, expiresAt: new Date(Date.now() + DAY_MS) };
  await test_.platform.database.prisma.session.create({ data: session });
  const second = await deleteAccount(undefined, { ...amina.viewer, sessionId: session.id });
  expect(second.job!.id).not.toBe(first.job!.id);
  await using _worker = startWorker();
  expect(await jobEnd(test_.platform, first.job!.id)).toMatchObject({ state: 'CANCELED' });
  expect(await userOf(amina)).toMatchObject({ status: 'PENDING_DELETION', deletionJobId: second.job!.id });
});

test('a job that is canceled by itself opens the account again', async () => {
  const { job } = await deleteAccount();
  await test_.platform.database.prisma.job.update({ where: { id: job!.id }, data: { state: 'CANCELING' } });
  await using _worker = startWorker();
  expect(await jobEnd(test_.platform, job!.id)).toMatchObject({ state: 'CANCELED' });
  expect(await userOf(amina)).toEqual(amina.user);
});

test('once it has begun nobody can sign in, and one that was given up is started again', async () => {
  const { job } = await deleteAccount();
  await makeDue(job!.id);
  const { platform } = test_;
  const broken = { subgraph: 'files', export: async () => ({}), delete: () => Promise.reject(new Error('disk away')) };
  const { prisma } = platform.database;
  await prisma.job.update({ where: { id: job!.id }, data: { maxAttempts: 1 } });
  const mailSeal = createMailSeal(platform.secret);
  await using first = startWorkerStack(platform, createAccountHandlers({ platform, slices: [broken], mailSeal }));
  expect(await jobEnd(platform, job!.id)).toMatchObject({ state: 'FAILED' });
  await first.stop();
  expect(await userOf(amina)).toMatchObject({ status: 'PENDING_DELETION', passwordHash: null });
  await expect(cancel(amina)).rejects.toThrow(SignInRefused);
  expect(await prisma.user.findUnique({ where: { emailKey: amina.user.emailKey } })).toBeNull();

  expect(await restartDeletions(platform)).toEqual({ deletionsRestarted: 1 });
  await using _second = startWorker();
  expect(await jobEnd(platform, job!.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await userOf(amina)).toBeNull();
  expect(await restartDeletions(platform)).toEqual({ deletionsRestarted: 0 });
});

test('asked twice it is one deletion with one mail', async () => {
  const [first, second] = await Promise.all([deleteAccount(), deleteAccount()]);
  expect(second.job).toEqual(first.job);
  expect(await test_.platform.database.prisma.mail.count({ where: { recipient: amina.user.email } })).toBe(1);
});

test('it takes the password, or a proof of the last hour; five wrong passwords are enough', async () => {
  const { prisma } = test_.platform.database;
  const wrong = { code: 'INVALID_CREDENTIALS', path: ['input', 'password'] };
  expect(await deleteAccount({ password: 'wrong' })).toEqual({ job: null, errors: [wrong] });
  const authenticatedAt = new Date(Date.now() - 3_700_000);
  await prisma.session.updateMany({ where: { userId: amina.user.id }, data: { authenticatedAt } });
  expect(await deleteAccount({})).toMatchObject({ job: null, errors: [{ code: 'REAUTHENTICATION_REQUIRED' }] });
  for (let tries = 2; tries <= 5; tries++) expect((await deleteAccount({ password: 'x' })).errors).toEqual([wrong]);
  expect(await deleteAccount()).toMatchObject({ job: null, errors: [{ code: 'RATE_LIMITED' }] });
  expect(await userOf(amina)).toEqual(amina.user);

  await prisma.session.updateMany({ where: { userId: amina.user.id }, data: { authenticatedAt: new Date() } });
  expect(await deleteAccount({})).toMatchObject({ errors: [] });
});

test('a suspended account cannot be deleted by its owner, whose sign-in would open it again', async () => {
  const suspended = await anAccount(test_.platform, { status: 'SUSPENDED', suspensionReason: 'Spam' });
  expect(await deleteAccount({ password: PASSWORD }, suspended.viewer)).toEqual({
    job: null,
    errors: [{ code: 'INVALID_STATE', path: null }],
  });
  expect(await userOf(suspended)).toMatchObject({ status: 'SUSPENDED', deletionJobId: null });
});

test('an anonymous caller is told to sign in', async () => {
  const { errors } = await ask(users, null, DELETE, { input: {} });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
});
