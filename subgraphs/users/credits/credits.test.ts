import { charge, hold, spend } from '../../../platform/credits/ledger';
import { newId } from '../../../platform/ids';
import { scopesOf } from '../../../platform/identity/scopes';
import { viewerTopic } from '../../../platform/identity/viewer-topic';
import type { Viewer } from '../../../platform/identity/viewer';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import { ledgerFaults } from '../../../platform/testing/ledger';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';

interface Shown {
  balance: number;
  held: number;
  plan: { id: string; monthlyCredits: number };
  entries: { nodes: { id: string; amount: number; reason: string; note: string | null; jobId: string | null }[] };
}
interface Granted {
  account: { balance: number } | null;
  entry: { id: string; amount: number } | null;
  errors: { code: string; message: string; path: string[] }[];
}
const CREDITS = `credits { balance held plan { id monthlyCredits } entries { nodes { id amount reason note jobId } } }`;
const GRANT = `mutation ($input: GrantCreditsInput!) { grantCredits(input: $input) {
  account { balance } entry { id amount } errors { code message path } } }`;

let test_: TestPlatform;
let users: UsersSubgraph;
let owner: Viewer;
let admin: Viewer;
beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
});
beforeEach(async () => {
  owner = await anAccount();
  admin = { ...(await anAccount()), scopes: scopesOf(['ADMIN']) };
});
afterEach(async () => expect(await ledgerFaults(test_.platform)).toEqual([]));
afterAll(() => test_[Symbol.asyncDispose]());

const prisma = () => test_.platform.database.prisma;
async function anAccount(): Promise<Viewer> {
  const viewer = aViewer();
  const email = `${viewer.userId}@sauti.example`;
  const profile = { displayName: 'Amina', locale: 'en', timeZone: 'UTC' };
  await prisma().user.create({ data: { id: viewer.userId, email, emailKey: email, ...profile } });
  return viewer;
}
const creditsOf = async (viewer: Viewer): Promise<Shown> =>
  (await askFor<{ viewer: { credits: Shown } }>(users, viewer, `{ viewer { ${CREDITS} } }`)).viewer.credits;
let keys = 0;
const wish = (change: object = {}): Record<string, unknown> => ({
  ...{ userId: owner.userId, credits: 500, note: 'For the talk', idempotencyKey: `key ${++keys}`, ...change },
});
const grant = async (input: object, viewer: Viewer = admin): Promise<Granted> =>
  (await askFor<{ grantCredits: Granted }>(users, viewer, GRANT, { input })).grantCredits;
const grantsOf = (viewer: Viewer) =>
  prisma().creditEntry.findMany({ where: { ownerId: viewer.userId, reason: 'GRANT' } });

test('everybody may know the plans, and a new account is on the first with its credits of the month', async () => {
  const query = '{ plans { id name monthlyCredits maxConcurrentJobs } }';
  expect(await askFor(users, null, query)).toEqual({
    plans: [
      { id: 'free', name: 'Free', monthlyCredits: 10_000, maxConcurrentJobs: 2 },
      { id: 'team', name: 'Team', monthlyCredits: 100_000, maxConcurrentJobs: 8 },
      { id: 'business', name: 'Business', monthlyCredits: 1_000_000, maxConcurrentJobs: 32 },
    ],
  });
  expect(await creditsOf(owner)).toEqual({
    ...{ balance: 10_000, held: 0, plan: { id: 'free', monthlyCredits: 10_000 } },
    entries: { nodes: [{ id: expect.any(String) as string, amount: 10_000, reason: 'PLAN', note: null, jobId: null }] },
  });
});

test('movements come newest first, page by page, and no forged cursor is read', async () => {
  for (const note of ['one', 'two', 'three']) await grant(wish({ note }));
  const query = `query ($after: String) { viewer { credits { entries(first: 2, after: $after) {
    nodes { note reason } pageInfo { hasNextPage endCursor } } } } }`;
  interface Page {
    viewer: { credits: { entries: { nodes: object[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } };
  }
  const page = async (after: string | null) =>
    (await askFor<Page>(users, owner, query, { after })).viewer.credits.entries;
  const first = await page(null);
  expect(first.nodes).toMatchObject([{ note: 'three' }, { note: 'two' }]);
  const second = await page(first.pageInfo.endCursor);
  expect(second.nodes).toMatchObject([{ note: 'one' }, { reason: 'PLAN' }]);
  expect(second.pageInfo.hasNextPage).toBe(false);
  for (const key of ['abc', '-1', '9'.repeat(40)]) {
    const after = Buffer.from(`k:${key}`).toString('base64url');
    const { errors } = await ask(users, owner, query, { after });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  }
});

describe('grantCredits', () => {
  test('gives credits, tells the owner’s devices and writes the audit log, once for 50 equal calls at a time', async () => {
    const input = wish({ idempotencyKey: 'once' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => grant(input)));
    const [entry] = await grantsOf(owner);
    const { platform } = test_;
    for (const answer of answers)
      expect(answer).toEqual({ account: { balance: 10_500 }, entry: { id: entry!.id, amount: 500 }, errors: [] });
    expect(await grantsOf(owner)).toMatchObject([{ note: 'For the talk', actorId: admin.userId, planAmount: 0 }]);
    expect(await platform.events.head(viewerTopic(owner.userId))).toBe(1);
    expect(await prisma().auditEvent.findMany({ where: { subjectId: owner.userId } })).toMatchObject([
      { action: 'credits.granted', actorId: admin.userId, metadata: { entryId: entry!.id, credits: 500, asked: 500 } },
    ]);
  });

  test('refuses the same key with another input; another administrator’s same key is another call', async () => {
    const input = wish();
    await grant(input);
    expect((await grant({ ...input, credits: 501 })).errors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
    const other = { ...(await anAccount()), scopes: scopesOf(['ADMIN']) };
    expect((await grant({ ...input, credits: 501 }, other)).account).toEqual({ balance: 11_001 });
  });

  test('takes away as many as there are', async () => {
    expect(await grant(wish({ credits: -1_000_000 }))).toEqual({
      ...{ account: { balance: 0 }, entry: { id: expect.any(String) as string, amount: -10_000 }, errors: [] },
    });
    expect((await grant(wish({ credits: -1 }))).entry).toMatchObject({ amount: 0 });
  });

  test.each([0, 1_000_001, -1_000_001])('refuses %p credits', async (credits) => {
    expect(await grant(wish({ credits }))).toMatchObject({
      ...{ account: null, entry: null, errors: [{ code: 'INVALID_INPUT', path: ['input', 'credits'] }] },
    });
    expect(await grantsOf(owner)).toEqual([]);
  });

  test.each([NaN, Infinity, 1.5, 2 ** 31, -(2 ** 40), '5', null])(
    'takes %p for no number of credits',
    async (credits) => {
      const { errors } = await ask(users, admin, GRANT, { input: wish({ credits }) });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(await grantsOf(owner)).toEqual([]);
    },
  );

  test('refuses notes that say nothing, are too long or hold control characters, and accounts that are not there', async () => {
    for (const note of [' ', 'x'.repeat(501), 'a\u0000b', 'a\u001b[31mb'])
      expect((await grant(wish({ note }))).errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'note'] }]);
    for (const userId of [newId('usr'), 'usr_\u0000', admin.sessionId])
      expect((await grant(wish({ userId }))).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'userId'] }]);
  });

  test('is for administrators', async () => {
    for (const [viewer, code] of [[null, 'UNAUTHENTICATED'] as const, [owner, 'FORBIDDEN'] as const]) {
      const { errors } = await ask(users, viewer, GRANT, { input: wish() });
      expect(errors).toMatchObject([{ extensions: { code } }]);
    }
    expect(await grantsOf(owner)).toEqual([]);
  });
});

describe('usage', () => {
  const USAGE = `query ($period: Period!) { viewer { usage(period: $period) {
    transcribedMs translatedCharacters creditsSpent jobs storedBytes } } }`;
  const usage = (from: string, to: string) => ask(users, owner, USAGE, { period: { from, to } });
  const aJob = (kind: string, state: 'SUCCEEDED' | 'FAILED', finishedAt: string, size: number, credits: number) => ({
    ...{ id: newId('job'), ownerId: owner.userId, subjectId: 'x', payload: {}, maxAttempts: 3 },
    ...{ kind, state, finishedAt: new Date(finishedAt), size, credits },
  });

  test('sums what jobs that succeeded in the period did and cost, and what is stored now', async () => {
    await prisma().job.createMany({
      data: [
        aJob('TRANSCRIBE', 'SUCCEEDED', '2026-03-01T00:00:00Z', 90_000, 2),
        aJob('TRANSLATE_TRANSCRIPT', 'SUCCEEDED', '2026-03-31T23:59:59.999Z', 1_500, 2),
        aJob('EXPORT_TRANSCRIPT', 'SUCCEEDED', '2026-03-05T00:00:00Z', 7, 0),
        aJob('TRANSCRIBE', 'FAILED', '2026-03-05T00:00:00Z', 90_000, 0),
        aJob('TRANSCRIBE', 'SUCCEEDED', '2026-04-01T00:00:00Z', 90_000, 2),
      ],
    });
    const file = { id: newId('fil'), ownerId: owner.userId, name: 'x', mimeType: 'audio/wav', sha256: 'x' };
    await prisma().storedObject.create({ data: { ...file, sizeBytes: 3_000_000_000n } });
    const { data } = await usage('2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z');
    expect(data).toEqual({
      viewer: {
        usage: {
          ...{ transcribedMs: 90_000, translatedCharacters: 1_500, creditsSpent: 4, jobs: 3 },
          storedBytes: 3_000_000_000,
        },
      },
    });
  });

  test('counts what live sessions have paid', async () => {
    const { userId: ownerId } = owner;
    await prisma().$transaction(async (tx) => {
      await spend(tx, { ownerId, credits: 7, note: 'Live session' });
      const jobId = newId('job');
      await hold(tx, { ownerId, jobId, credits: 5 });
      await charge(tx, { ownerId, jobId }); // is in the row of a job, if there is one
    });
    const now = Date.now();
    const [from, to] = [new Date(now - 3_600_000), new Date(now + 3_600_000)];
    const { data } = await usage(from.toISOString(), to.toISOString());
    expect(data).toMatchObject({ viewer: { usage: { creditsSpent: 7 } } });
  });

  test('refuses periods that end before they begin, or are longer than a year', async () => {
    for (const [from, to] of [
      ['2026-04-01T00:00:00Z', '2026-04-01T00:00:00Z'],
      ['2026-04-01T00:00:00Z', '2026-03-01T00:00:00Z'],
      ['2025-01-01T00:00:00Z', '2026-01-03T00:00:00Z'],
    ] as const) {
      expect((await usage(from, to)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
  });
});
