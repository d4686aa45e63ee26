import { verifyAccessToken } from '../../../platform/identity/access-token';
import type { CallIdentity, ClientFacts, Viewer } from '../../../platform/identity/viewer';
import { newId } from '../../../platform/ids';
import type { SubgraphResult } from '../../../platform/subgraph/subgraph';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { waitFor } from '../../../platform/testing/wait';
import { accessTopic } from '../events';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';

const DAY_MS = 24 * 3_600_000;
const REFRESH = `mutation ($token: String!) { result: refreshSession(input: { refreshToken: $token }) {
  tokens { accessToken refreshToken } session { id userAgent ipAddress } errors { code path } } }`;

let opened: TestPlatform;
/** Two processes of the same deployment. */
let processes: UsersSubgraph[];
/** What they take for now, moved on by a test. */
let clockMs: number;

beforeAll(async () => {
  opened = await openTestPlatform({ poolSize: 20 });
  processes = [1, 2].map(() => createUsersSubgraph(opened.platform, () => new Date(clockMs)));
});
beforeEach(() => {
  clockMs = Date.now();
});
afterAll(() => opened[Symbol.asyncDispose]());

interface Refreshed {
  /** The next refresh token; null when there is an error. */
  next: string | null;
  code: string | undefined;
  accessToken: string | undefined;
  session: { id: string; userAgent: string | null; ipAddress: string | null } | null;
}

const from = (client?: ClientFacts, viewer: Viewer | null = null): CallIdentity => ({ viewer, requestId: 'r', client });
const ask = (query: string, variables: object, identity = from(), of = 0): Promise<SubgraphResult> =>
  processes[of]!.execute(
    { query, variables: variables as Record<string, unknown> },
    { identity, signal: new AbortController().signal },
  );

async function refresh(token: string, client?: ClientFacts, of = 0): Promise<Refreshed> {
  const { data, errors } = await ask(REFRESH, { token }, from(client), of);
  if (errors) throw new Error(JSON.stringify(errors));
  const {
    tokens,
    session,
    errors: problems,
  } = data!['result'] as {
    tokens: { accessToken: string; refreshToken: string } | null;
    session: Refreshed['session'];
    errors: { code: string }[];
  };
  return {
    next: tokens?.refreshToken ?? null,
    code: problems[0]?.code,
    accessToken: tokens?.accessToken,
    session,
  };
}

let people = 0;
/** Somebody new: their first refresh token and who they are. */
async function aPerson(): Promise<{ token: string; viewer: Viewer }> {
  const { data } = await ask(
    `mutation ($email: String!) { signUp(input: { email: $email, password: "correct horse battery", displayName: "A" }) {
      tokens { accessToken refreshToken } } }`,
    { email: `chain-${++people}@sauti.example` },
  );
  const { tokens } = data!['signUp'] as { tokens: { accessToken: string; refreshToken: string } };
  const { viewer } = verifyAccessToken(tokens.accessToken, await processes[0]!.jwks(), new Date(clockMs));
  return { token: tokens.refreshToken, viewer };
}

/** Refreshes so often, each time after the grace, and answers all tokens from the first to the newest. */
async function aChain(token: string, length: number): Promise<string[]> {
  const chain = [token];
  for (let count = 0; count < length; count++) {
    clockMs += 60_000;
    chain.push((await refresh(chain.at(-1)!)).next!);
  }
  return chain;
}

const sessionOf = ({ sessionId }: Viewer) =>
  opened.platform.database.prisma.session.findUniqueOrThrow({
    where: { id: sessionId },
    include: { refreshTokens: { orderBy: { position: 'asc' } } },
  });
const announced = async (sessionId: string): Promise<number> =>
  opened.platform.database.prisma.event.count({
    where: { topic: accessTopic.name, payload: { equals: { kind: 'ended', sessionId } } },
  });

test('of fifty parallel refreshes one rotates, twenty rounds long, and all are answered the same', async () => {
  const { token, viewer } = await aPerson();
  let current = token;
  for (let round = 1; round <= 20; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => refresh(current, undefined, n % 2)));
    expect(answers.flatMap(({ code }) => code ?? [])).toEqual([]);
    const next = new Set(answers.map((answer) => answer.next));
    expect(next.size).toBe(1);
    current = [...next][0]!;
    const { refreshTokens } = await sessionOf(viewer);
    expect(refreshTokens.map(({ position, usedAt }) => [position, usedAt === null])).toEqual(
      Array.from({ length: round + 1 }, (_, position) => [position, position === round]),
    );
  }
}, 120_000);

describe('a refresh token that is used again', () => {
  test('within ten seconds, by calls that race, is answered with the newest of the chain', async () => {
    const { token } = await aPerson();
    const second = (await refresh(token)).next!;
    const third = (await refresh(second)).next!;
    clockMs += 10_000;
    expect(await refresh(token, undefined, 1)).toMatchObject({ next: third, code: undefined });
    expect(await refresh(second)).toMatchObject({ next: third, code: undefined });
    expect((await refresh(third)).code).toBeUndefined();
  });

  test('at any time, when its answer was lost, is answered with the same successor', async () => {
    const { token } = await aPerson();
    const chain = await aChain(token, 2);
    const lost = (await refresh(chain[2]!)).next;
    clockMs += 29 * DAY_MS;
    expect((await refresh(chain[2]!)).next).toBe(lost);
    clockMs += DAY_MS;
    expect((await refresh(chain[2]!, undefined, 1)).next).toBe(lost);
    expect((await refresh(lost!)).code).toBeUndefined();
  });

  test.each([0, 1, 2, 3, 4])('as ancestor number %i, after the grace, ends the session', async (ancestor) => {
    const { token, viewer } = await aPerson();
    const chain = await aChain(token, 6);
    clockMs += 60_000;
    const thief = { ipAddress: '198.51.100.7', userAgent: 'curl', cookies: null };
    expect((await refresh(chain[ancestor]!, thief, 1)).code).toBe('TOKEN_REUSED');
    for (const each of chain) expect((await refresh(each)).code).toBe('TOKEN_EXPIRED');
    expect((await sessionOf(viewer)).endedAt).toEqual(new Date(clockMs));
    expect(await announced(viewer.sessionId)).toBe(1);
    const audits = await opened.platform.database.prisma.auditEvent.findMany({
      where: { action: 'session.tokenReused', subjectId: viewer.sessionId },
    });
    expect(audits).toMatchObject([
      { actorId: null, ipAddress: '198.51.100.7', metadata: { userId: viewer.userId, position: ancestor } },
    ]);
  });

  test('one millisecond after the grace, when its successor was used, ends the session', async () => {
    const { token } = await aPerson();
    const second = (await refresh(token)).next!;
    await refresh(second);
    clockMs += 10_001;
    expect((await refresh(token)).code).toBe('TOKEN_REUSED');
  });

  test('by twenty at once, after the grace, ends the session once', async () => {
    const { token, viewer } = await aPerson();
    const chain = await aChain(token, 2);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => refresh(chain[0]!, undefined, n % 2)));
    const codes = answers.map(({ code }) => code);
    expect(codes.filter((code) => code === 'TOKEN_REUSED')).toHaveLength(1);
    expect(codes.filter((code) => code === 'TOKEN_EXPIRED')).toHaveLength(19);
    expect(await announced(viewer.sessionId)).toBe(1);
  });

  test('after a sign-out, is as expired as any other', async () => {
    const { token, viewer } = await aPerson();
    const chain = await aChain(token, 2);
    await ask('mutation { endSessions(input: {}) { ended } }', {}, from(undefined, viewer));
    for (const each of chain) expect((await refresh(each)).code).toBe('TOKEN_EXPIRED');
    expect(await announced(viewer.sessionId)).toBe(1);
  });

  test('does not become good again when the clock is set back', async () => {
    const { token } = await aPerson();
    const chain = await aChain(token, 2);
    clockMs -= 3_600_000;
    expect((await refresh(chain[0]!)).code).toBe('TOKEN_REUSED');
  });

  test('ends no other session of the account', async () => {
    const [one, other] = [await aPerson(), await aPerson()];
    await opened.platform.database.prisma.session.update({
      where: { id: other.viewer.sessionId },
      data: { userId: one.viewer.userId },
    });
    const chain = await aChain(one.token, 2);
    expect((await refresh(chain[0]!)).code).toBe('TOKEN_REUSED');
    expect((await refresh(other.token)).code).toBeUndefined();
  });
});

test('a refresh during a sign-out leaves no session that lives', async () => {
  for (let round = 0; round < 10; round++) {
    const { token, viewer } = await aPerson();
    const [refreshed] = await Promise.all([
      refresh(token, undefined, 1),
      ask('mutation { endSessions(input: {}) { ended } }', {}, from(undefined, viewer)),
    ]);
    expect((await refresh(refreshed.next ?? token)).code).toBe('TOKEN_EXPIRED');
    expect((await sessionOf(viewer)).endedAt).not.toBeNull();
  }
}, 60_000);

test('a suspended account is refreshed no more, until its suspension is over', async () => {
  const { token, viewer } = await aPerson();
  const { prisma } = opened.platform.database;
  const suspended = (suspensionEndsAt: Date | null) =>
    prisma.user.update({ where: { id: viewer.userId }, data: { status: 'SUSPENDED', suspensionEndsAt } });
  await suspended(null);
  expect((await refresh(token)).code).toBe('TOKEN_EXPIRED');
  await suspended(new Date(clockMs - 1));
  expect((await refresh(token)).code).toBeUndefined();
});

test('a refresh waits for rights that are being changed, and its token says those of after', async () => {
  const { token, viewer } = await aPerson();
  const { prisma } = opened.platform.database;
  let refreshed: Promise<Refreshed> | undefined;
  await prisma.$transaction(async (tx) => {
    await tx.user.update({ where: { id: viewer.userId }, data: { roles: ['ADMIN'] } });
    refreshed = refresh(token);
    await waitFor('the refresh to wait', async () => {
      const rows = await prisma.$queryRaw<unknown[]>`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length > 0;
    });
  });
  const { accessToken } = await refreshed!;
  const verified = verifyAccessToken(accessToken!, await processes[0]!.jwks(), new Date(clockMs));
  expect(verified.viewer.scopes).toContain('admin:users');
});

test('a refresh notes device and place, and the rights are those of now', async () => {
  const { token, viewer } = await aPerson();
  await opened.platform.database.prisma.user.update({ where: { id: viewer.userId }, data: { roles: ['ADMIN'] } });
  clockMs += 1_000;
  const phone = { ipAddress: '203.0.113.5', userAgent: 'Phone/1', cookies: null };
  const first = await refresh(token, phone);
  expect(first.session).toEqual({ id: viewer.sessionId, userAgent: 'Phone/1', ipAddress: '203.0.113.5' });
  const verified = verifyAccessToken(first.accessToken!, await processes[1]!.jwks(), new Date(clockMs));
  expect(verified.viewer.scopes).toContain('admin:users');
  expect(verified.issuedAt).toEqual(new Date(clockMs));
  // Told nothing, it keeps what it knows.
  expect((await refresh(first.next!)).session).toEqual(first.session);
  expect((await sessionOf(viewer)).lastSeenAt).toEqual(new Date(clockMs));
});

test('no other token of ours is a refresh token, and none is kept in the clear', async () => {
  const { token, viewer } = await aPerson();
  const { accessToken, next } = await refresh(token);
  for (const text of [accessToken!, newId('ses'), viewer.sessionId, '', 'a\0b', 'x'.repeat(100_000)])
    expect((await refresh(text)).code).toBe('TOKEN_EXPIRED');
  const rows = JSON.stringify(await sessionOf(viewer));
  for (const secret of [token, next!]) expect(rows).not.toContain(secret);
});
