import { buffer, text } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import type { AccountData } from '../platform/account-data';
import { createMailSeal } from '../platform/mail/mail';
import type { Viewer } from '../platform/identity/viewer';
import { ask, askFor, aViewer } from '../platform/testing/calls';
import { jobEnd } from '../platform/testing/job-end';
import { openTestPlatform, type TestPlatform } from '../platform/testing/platform';
import { waitFor } from '../platform/testing/wait';
import { startWorkerStack } from '../platform/testing/worker-stack';
import { createFilesSubgraph } from '../subgraphs/files/subgraph';
import { runInboxConsumer } from '../subgraphs/notification/inbox-consumer';
import { createNotificationSubgraph } from '../subgraphs/notification/subgraph';
import { createAccountHandlers } from '../subgraphs/users/privacy/jobs/handlers';
import { removeOldArchives } from '../subgraphs/users/privacy/tidy-accounts';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraphs/users/subgraph';
import { accountSlices } from './account-slices';
import { aFullAccount, type FullAccount } from './accounts.testing';

const EXPORT = `mutation ($input: IdempotentInput!) { result: exportAccount(input: $input) {
  job { id kind state runsAfter archive { id } } errors { code path } } }`;
const JOB = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on AccountJob {
  id kind state stage progress credits archive { id } runsAfter error { code message } receipts { subgraph counts } } } }`;

let test_: TestPlatform;
let users: UsersSubgraph;
let amina: FullAccount;
let brian: FullAccount;

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
  amina = await aFullAccount(test_.platform);
  brian = await aFullAccount(test_.platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

interface Asked {
  job: { id: string; kind: string; state: string; archive: null; runsAfter: null } | null;
  errors: { code: string; path: string[] }[];
}
const exportAccount = async (viewer: Viewer, input: object = {}): Promise<Asked> =>
  (await askFor<{ result: Asked }>(users, viewer, EXPORT, { input })).result;
interface Shown {
  state: string;
  archive: { id: string } | null;
  receipts: { subgraph: string; counts: Record<string, number> }[];
}
const jobOf = async (viewer: Viewer | null, id: string): Promise<Shown | null> =>
  (await askFor<{ _entities: (Shown | null)[] }>(users, viewer, JOB, { of: [{ __typename: 'AccountJob', id }] }))
    ._entities[0]!;

function startWorker(slices: readonly AccountData[] = accountSlices(test_.platform)) {
  const { platform } = test_;
  return startWorkerStack(
    platform,
    createAccountHandlers({ platform, slices, mailSeal: createMailSeal(platform.secret) }),
  );
}

/** Name and text of every file of an archive. */
async function unpacked(fileId: string): Promise<Map<string, string>> {
  const zip = await fromBufferPromise(await buffer(await test_.platform.objects.read(fileId)));
  const files = new Map<string, string>();
  for await (const entry of zip.eachEntry())
    files.set(entry.fileName, await text(await zip.openReadStreamPromise(entry)));
  return files;
}

test('the archive holds what every subgraph has of the account, and of another account nothing', async () => {
  const asked = await exportAccount(amina.viewer);
  expect(asked).toMatchObject({ job: { kind: 'EXPORT_ACCOUNT', state: 'QUEUED', archive: null, runsAfter: null } });
  const jobId = asked.job!.id;
  await using worker = startWorker();
  await jobEnd(test_.platform, jobId);
  await worker.stop();

  const job = await jobOf(amina.viewer, jobId);
  expect(job).toMatchObject({ state: 'SUCCEEDED', progress: 1, credits: 0, error: null });
  expect(job!.receipts).toEqual([
    { subgraph: 'users', counts: { accounts: 1, sessions: 1, creditEntries: 1, auditEvents: 2 } },
    { subgraph: 'notification', counts: { notifications: 1, jobs: 3 } },
    { subgraph: 'media', counts: { recordings: 1, transcripts: 1, segments: 1, liveSessions: 1 } },
    { subgraph: 'files', counts: { files: 2 } },
    { subgraph: 'translation', counts: {} },
  ]);
  const files = await unpacked(job!.archive!.id);
  const [textId, pictureId] = amina.objects;
  expect([...files.keys()]).toEqual([
    ...['account', 'sessions', 'credit-entries', 'audit-events'].map((name) => `users/${name}.ndjson`),
    ...['notifications', 'jobs'].map((name) => `notification/${name}.ndjson`),
    ...['recordings', 'transcripts', 'segments', 'live-sessions'].map((name) => `media/${name}.ndjson`),
    'files/files.ndjson',
    `files/objects/${textId}/${amina.word}.txt`,
    `files/objects/${pictureId}/cover.png`,
  ]);
  const everything = [...files.entries()].flat().join('\n');
  for (const id of [...Object.values(amina.ids), ...amina.objects, amina.word, amina.user.email])
    if (id !== amina.ids.mal) expect(everything).toContain(id);
  for (const id of [...Object.values(brian.ids), ...brian.objects, brian.word, brian.user.email])
    expect(everything).not.toContain(id);
  for (const secret of [amina.user.passwordHash!, 'SECRET-of-factor', 'tokenHash', 'keyHash'])
    expect(everything).not.toContain(secret);
  expect(files.get(`files/objects/${textId}/${amina.word}.txt`)).toBe(`bytes of ${amina.word}.txt`);
});

test('the archive is a file of the owner’s and of nobody else’s, in no list, and gone after seven days', async () => {
  const { platform } = test_;
  const files = createFilesSubgraph(platform);
  const job = await platform.database.prisma.job.findFirstOrThrow({ where: { kind: 'EXPORT_ACCOUNT' } });
  const { archive } = (await jobOf(amina.viewer, job.id))!;
  const entity = (viewer: Viewer) =>
    askFor(
      files,
      viewer,
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on File { name mimeType } } }',
      {
        of: [{ __typename: 'File', id: archive!.id }],
      },
    );
  const name = `sauti-account-${job.createdAt.toISOString().slice(0, 10)}.zip`;
  expect(await entity(amina.viewer)).toEqual({ _entities: [{ name, mimeType: 'application/zip' }] });
  expect(await entity(brian.viewer)).toEqual({ _entities: [null] });
  expect(JSON.stringify(await askFor(files, amina.viewer, '{ files { nodes { id } } }'))).not.toContain(archive!.id);
  for (const viewer of [brian.viewer, aViewer(), null]) expect(await jobOf(viewer, job.id)).toBeNull();

  const [day, finishedAt] = [86_400_000, job.finishedAt!.getTime()];
  expect(await removeOldArchives(platform, new Date(finishedAt + 6.99 * day))).toEqual({ archives: 0 });
  expect(await removeOldArchives(platform, new Date(finishedAt + 7.01 * day))).toEqual({ archives: 1 });
  expect(await jobOf(amina.viewer, job.id)).toMatchObject({ state: 'SUCCEEDED', archive: null });
  await expect(platform.objects.read(archive!.id)).rejects.toThrow(/ENOENT/);
  expect(await platform.objects.find(amina.objects[0]!, amina.user.id)).not.toBeNull();
});

test('while one is under way another call answers the same; a key answers its job afterwards, too', async () => {
  const first = await exportAccount(brian.viewer, { idempotencyKey: 'k' });
  expect(await exportAccount(brian.viewer)).toEqual(first);
  expect((await exportAccount(amina.viewer, { idempotencyKey: 'k' })).job!.id).not.toBe(first.job!.id);
  await using _worker = startWorker();
  await jobEnd(test_.platform, first.job!.id);
  expect((await exportAccount(brian.viewer, { idempotencyKey: 'k' })).job!.id).toBe(first.job!.id);
  expect(await exportAccount(brian.viewer, { idempotencyKey: '' })).toEqual({
    job: null,
    errors: [{ code: 'INVALID_INPUT', path: ['input', 'idempotencyKey'] }],
  });
  const next = await exportAccount(brian.viewer);
  expect(next.job!.id).not.toBe(first.job!.id);
  // An archive of an archive would double with each export.
  await jobEnd(test_.platform, next.job!.id);
  const { archive } = (await jobOf(brian.viewer, next.job!.id))!;
  const earlier = (await jobOf(brian.viewer, first.job!.id))!.archive!;
  expect([...(await unpacked(archive!.id)).keys()].join()).not.toContain(earlier.id);
});

test('a subgraph that fails once is asked again, and nothing of the first attempt stays in the store', async () => {
  const owner = await aFullAccount(test_.platform);
  let failures = 0;
  const [first, ...rest] = accountSlices(test_.platform);
  const failing: AccountData = {
    ...rest[1]!,
    export: async (ownerId, archive) => {
      if (failures++ === 0) throw new Error('the disk hiccups');
      return rest[1]!.export(ownerId, archive);
    },
  };
  const keys = async () =>
    (await test_.platform.database.prisma.storedObject.findMany({ select: { id: true } })).length;
  const before = await keys();
  const { job } = await exportAccount(owner.viewer);
  await using _worker = startWorker([first!, rest[0]!, failing, rest[2]!]);
  expect(await jobEnd(test_.platform, job!.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  expect((await jobOf(owner.viewer, job!.id))!.receipts).toHaveLength(5);
  expect(await keys()).toBe(before + 1);
  expect(await test_.platform.objects.sweep(0)).toBe(0);
});

test('an anonymous caller is told to sign in', async () => {
  const { errors } = await ask(users, null, EXPORT, { input: {} });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('the inbox tells when the archive is ready, and the list of jobs leads to it', async () => {
  const { platform } = test_;
  const notification = createNotificationSubgraph(platform);
  const jobs = await askFor(
    notification,
    amina.viewer,
    `{ jobs(filter: { kinds: [EXPORT_ACCOUNT] }, first: 1) {
      nodes { kind subject { __typename id } job { __typename ... on AccountJob { id } } } } }`,
  );
  const { id } = await platform.database.prisma.job.findFirstOrThrow({
    where: { ownerId: amina.user.id, kind: 'EXPORT_ACCOUNT' },
    orderBy: { id: 'desc' },
  });
  expect(jobs).toEqual({
    jobs: {
      nodes: [
        {
          kind: 'EXPORT_ACCOUNT',
          subject: { __typename: 'User', id: amina.user.id },
          job: { __typename: 'AccountJob', id },
        },
      ],
    },
  });
  const over = new AbortController();
  const consumer = runInboxConsumer(platform, over.signal);
  const told = `{ inbox { nodes { topic title job { __typename } } } }`;
  await waitFor('the notification', async () =>
    JSON.stringify(await askFor(notification, brian.viewer, told)).includes(
      '{"topic":"archive.ready","title":"Your archive is ready","job":{"__typename":"AccountJob"}}',
    ),
  );
  over.abort();
  await consumer;
});
