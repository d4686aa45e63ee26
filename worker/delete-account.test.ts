import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createMailSeal } from '../platform/mail/mail';
import { repositoryRoot } from '../platform/root';
import { askFor } from '../platform/testing/calls';
import { jobEnd } from '../platform/testing/job-end';
import { openTestPlatform, type TestPlatform } from '../platform/testing/platform';
import { startWorkerStack } from '../platform/testing/worker-stack';
import { createAccountHandlers } from '../subgraphs/users/privacy/jobs/handlers';
import { createUsersSubgraph } from '../subgraphs/users/subgraph';
import { PASSWORD } from '../subgraphs/users/testing-accounts';
import { DEFAULT_USERS_SETTINGS } from '../subgraphs/users/users-settings';
import { accountSlices } from './account-slices';
import { aFullAccount, type FullAccount } from './accounts.testing';
import { ownTables, rowsWith, type Rows } from './rows.testing';

const DELETE = `mutation ($input: DeleteAccountInput!) { result: deleteAccount(input: $input) {
  job { id kind state runsAfter receipts { subgraph } archive { id } } errors { code path } } }`;

/** Tables in which nothing is of one account. */
const OF_NOBODY = [
  'media.live_worker',
  'platform.credit_plan',
  'platform.event_consumer',
  'users.attempt_count',
  'users.signing_key',
];

let test_: TestPlatform;
let amina: FullAccount;
let brian: FullAccount;

beforeEach(async () => {
  test_ = await openTestPlatform();
  amina = await aFullAccount(test_.platform);
  brian = await aFullAccount(test_.platform);
});
afterEach(() => test_[Symbol.asyncDispose]());

/** Asks to delete the account without a time to think it over. */
async function deleteAtOnce({ viewer }: FullAccount): Promise<string> {
  const users = createUsersSubgraph(test_.platform, undefined, {
    ...DEFAULT_USERS_SETTINGS,
    privacy: { deletionGraceMs: 0 },
  });
  const { result } = await askFor<{ result: { job: { id: string }; errors: unknown[] } }>(users, viewer, DELETE, {
    input: { password: PASSWORD },
  });
  expect(result.errors).toEqual([]);
  return result.job.id;
}

function startWorker() {
  const { platform } = test_;
  const mailSeal = createMailSeal(platform.secret);
  return startWorkerStack(platform, createAccountHandlers({ platform, slices: accountSlices(platform), mailSeal }));
}

const textsOf = ({ user, ids, objects, word }: FullAccount): string[] => [
  ...Object.values(ids),
  ...objects,
  user.email,
  word,
];
const rowsOf = (account: FullAccount): Promise<Rows> => rowsWith(test_.platform, textsOf(account));

/** Keys of all objects in the store. */
async function storedKeys(): Promise<string[]> {
  const entries = await readdir(path.join(test_.dataDirectory, 'objects'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const receiptsOf = (jobId: string) =>
  test_.platform.database.prisma.accountReceipt.findMany({ where: { jobId }, orderBy: { subgraph: 'asc' } });

const RECEIPTS = [
  { subgraph: 'files', counts: { files: 2 } },
  {
    subgraph: 'media',
    counts: { liveAudioRows: 1, recordings: 1, transcripts: 1, segments: 1, liveSessions: 1, mentions: 0 },
  },
  { subgraph: 'notification', counts: { jobs: 2, notifications: 1 } },
  { subgraph: 'translation', counts: {} },
  {
    subgraph: 'users',
    counts: { accounts: 1, sessions: 1, apiKeys: 1, mfaFactors: 1, creditEntries: 1, mails: 2, auditEventsWiped: 1 },
  },
];

/** What may be left of a deleted account, by table: each row has to match. */
function expectOnlyRemains(left: Rows, jobId: string): void {
  const remains: Record<string, (row: string) => boolean> = {
    'platform.job': (row) => row.includes(jobId),
    // The end of that job, and which tokens were void: pruned with all other events after seven days.
    'platform.event': (row) => /^\((jobs:|jobs\.finished|access)/.test(row),
    // The queue's own notes of its last thousands of entries: which job was handed to whom.
    'bullmq.event': (row) => row.includes('jobId') && !row.includes(amina.user.id),
    'platform.event_topic': (row) => row.startsWith('(jobs:'),
    // Ids only: that something happened, never to whom in the world.
    'users.audit_event': (row) => row.includes(',{},'),
    // The last mail, until it has been sent.
    'platform.mail': (row) => row.includes('account.deleted'),
  };
  const others = [...left].flatMap(([table, rows]) =>
    rows.filter((row) => !remains[table]?.(row)).map((row) => `${table}: ${row}`),
  );
  expect(others).toEqual([]);
}

test('the account of these tests has something in every table, so that a new table is not forgotten', async () => {
  await deleteAtOnce(amina); // for the outbox of jobs, deletions included
  const tables = new Set((await rowsOf(amina)).keys());
  // Receipts hold no id of the account, only the job's.
  const expected = (await ownTables(test_.platform)).filter(
    (table) => ![...OF_NOBODY, 'users.account_receipt'].includes(table),
  );
  expect(expected.filter((table) => !tables.has(table) && !table.endsWith('_prisma_migrations'))).toEqual([]);
});

test('a deletion leaves no row and no object of the account, and touches nobody else’s', async () => {
  const { prisma } = test_.platform.database;
  const theirs = await rowsOf(brian);
  const jobId = await deleteAtOnce(amina);
  await using worker = startWorker();
  expect(await jobEnd(test_.platform, jobId)).toMatchObject({ state: 'SUCCEEDED', kind: 'DELETE_ACCOUNT' });
  await worker.stop();

  expectOnlyRemains(await rowsOf(amina), jobId);
  expect((await storedKeys()).sort()).toEqual([...brian.objects].sort());
  expect(await rowsOf(brian)).toEqual(theirs);
  expect(await receiptsOf(jobId)).toMatchObject(RECEIPTS);
  const mails = await prisma.mail.findMany({ where: { recipient: amina.user.email } });
  expect(mails).toMatchObject([{ kind: 'account.deleted', state: 'QUEUED' }]);
  const audited = await prisma.auditEvent.findMany({ where: { actorId: amina.user.id }, orderBy: { id: 'asc' } });
  expect(audited.map(({ action }) => action)).toEqual(['session.started', 'account.deletionAsked', 'account.deleted']);
  expect(audited.every(({ ipAddress, metadata }) => ipAddress === null && JSON.stringify(metadata) === '{}')).toBe(
    true,
  );
});

test('where others have named the account as a speaker, only its id goes', async () => {
  const { prisma } = test_.platform.database;
  const named = { transcriptId: brian.ids.trn, key: 'b', label: 'Amina', userId: amina.user.id };
  const { id } = await prisma.speaker.create({ data: { id: amina.ids.spk.replace(/.$/, '0'), ...named } });
  const jobId = await deleteAtOnce(amina);
  await using _worker = startWorker();
  await jobEnd(test_.platform, jobId);
  expect(await prisma.speaker.findUnique({ where: { id } })).toMatchObject({ label: 'Amina', userId: null });
});

test('of a worker that is killed in the middle the next one finishes the work, and nothing is counted twice', async () => {
  const jobId = await deleteAtOnce(amina);
  const { database, secret } = test_.platform;
  const script = ['-r', './platform/testing/register.cjs', 'worker/dying-worker.testing.ts'];
  const worker = spawn(process.execPath, [...script, database.url, test_.dataDirectory, secret], {
    cwd: repositoryRoot(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [, signal] = (await once(worker, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  const half = await receiptsOf(jobId);
  expect(half.map(({ subgraph }) => subgraph)).toEqual(['media', 'notification']);
  expect((await storedKeys()).sort()).toEqual([...amina.objects, ...brian.objects].sort());

  await using _next = startWorker();
  expect(await jobEnd(test_.platform, jobId, 40_000)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  expect(await receiptsOf(jobId)).toMatchObject(RECEIPTS);
  expectOnlyRemains(await rowsOf(amina), jobId);
  expect((await storedKeys()).sort()).toEqual([...brian.objects].sort());
});
