import { fetchAccessNews } from '../../../gateway/viewer/access-news';
import type { AccessNews } from '../../../platform/identity/access-change';
import { USER_SCOPES } from '../../../platform/identity/scopes';
import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import { newId } from '../../../platform/ids';
import { silentLogger } from '../../../platform/logger';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { askFor, identityOf } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { waitFor } from '../../../platform/testing/wait';
import { accessTopic, announceAccess } from '../events';
import { createUsersSubgraph, JWKS_PATH, type UsersSubgraph } from '../subgraph';
import { ACCESS_CHANGES_PATH } from './access-changes';
import { accessNews } from './access-news';

let opened: TestPlatform;
let users: UsersSubgraph;
let server: { port: number } & AsyncDisposable;
let callKey: Buffer;
let people = 0;

beforeAll(async () => {
  opened = await openTestPlatform();
  users = createUsersSubgraph(opened.platform);
  callKey = deriveCallKey(opened.platform.secret, 'users');
  server = await serveSubgraph({ subgraph: users, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

/** The id of a new person and of their session. */
async function signedUp(): Promise<{ userId: string; sessionId: string; scopes: string[] }> {
  const email = `news-${++people}@sauti.example`;
  const { signUp } = await askFor<{ signUp: { viewer: { id: string }; tokens: { session: { id: string } } } }>(
    users,
    null,
    `mutation { signUp(input: { email: "${email}", password: "correct horse battery", displayName: "Amina" }) {
      viewer { id } tokens { session { id } } } }`,
  );
  return { userId: signUp.viewer.id, sessionId: signUp.tokens.session.id, scopes: [...USER_SCOPES] };
}

/** Follows until the test has what it wants. */
function following(news: AsyncIterable<AccessNews>) {
  const heard: AccessNews[] = [];
  const ended = (async () => {
    for await (const piece of news) heard.push(piece);
  })();
  ended.catch(() => {});
  return { heard, ended };
}

const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;
const sign = (body: string, key = callKey): string =>
  signCallIdentity(key, 'users', { viewer: null, requestId: 'r' }, body);
const apart = (key = callKey) =>
  fetchAccessNews({ jwksUrl: url(JWKS_PATH), signCall: (_subgraph, _identity, body) => sign(body, key) });
const ended = (sessionId: string): AccessNews => ({ kind: 'ended', sessionId, at: expect.any(String) as string });

describe.each(['in process', 'apart'])('the news of access changes, %s', (mode) => {
  const follow = (signal: AbortSignal): AsyncIterable<AccessNews> =>
    mode === 'apart' ? apart()(signal) : users.accessChanges(signal);

  test('begin with the changes that just were, then say that this is all, and go on with what happens', async () => {
    const before = await signedUp();
    await askFor(users, before, 'mutation { endSessions(input: {}) { ended } }');
    const controller = new AbortController();
    const { heard, ended: over } = following(follow(controller.signal));
    await waitFor('the present', () => heard.at(-1)?.kind === 'current');
    expect(heard.at(-2)).toEqual(ended(before.sessionId));

    const person = await signedUp();
    await askFor(users, person, 'mutation { endSessions(input: {}) { ended } }');
    await waitFor('the end', () => heard.some((news) => news.kind === 'ended' && news.sessionId === person.sessionId));
    const at = new Date().toISOString();
    await opened.platform.database.prisma.$transaction((tx) =>
      announceAccess(tx, opened.platform.events, [{ kind: 'changed', userId: person.userId, at }]),
    );
    const isChange = (news: AccessNews): boolean => news.kind === 'changed' && news.userId === person.userId;
    const change = await waitFor('the change', () => heard.find(isChange));
    // From when it was written down: until then the rights before could be read.
    expect(Date.parse((change as { at: string }).at)).toBeGreaterThanOrEqual(Date.parse(at));
    const count = heard.filter(({ kind }) => kind === 'current').length;
    await waitFor('two signs of life', () => heard.filter(({ kind }) => kind === 'current').length > count + 1);
    controller.abort();
    await over.catch(() => {});
  });
});

test('changes older than eleven minutes are not told', async () => {
  const old = newId('ses');
  const { database, events } = opened.platform;
  await database.prisma.$transaction((tx) => announceAccess(tx, events, [{ kind: 'ended', sessionId: old }]));
  await database.prisma.$executeRaw`
    update platform.event set at = at - interval '661 seconds'
     where topic = ${accessTopic.name} and payload->>'sessionId' = ${old}`;
  const young = newId('ses');
  await database.prisma.$transaction((tx) => announceAccess(tx, events, [{ kind: 'ended', sessionId: young }]));
  const controller = new AbortController();
  const { heard } = following(users.accessChanges(controller.signal));
  await waitFor('the present', () => heard.at(-1)?.kind === 'current');
  controller.abort();
  const told = heard.flatMap((news) => (news.kind === 'ended' ? news.sessionId : []));
  expect([told.includes(young), told.includes(old)]).toEqual([true, false]);
});

test('nobody is told that they are current while the database does not answer', async () => {
  const { events } = opened.platform;
  let isAway = false;
  const failing = {
    positionAgo: events.positionAgo.bind(events),
    read: events.read.bind(events),
    head: async (topic: typeof accessTopic) => {
      if (isAway) throw new Error('The database is away.');
      return events.head(topic);
    },
  };
  const { heard, ended: over } = following(accessNews(failing, new AbortController().signal, 10));
  await waitFor('the present', () => heard.at(-1)?.kind === 'current');
  isAway = true;
  await expect(over).rejects.toThrow('away');
});

describe('POST /access/changes', () => {
  const post = (body: string, token: string | null = sign(body)): Promise<Response> =>
    fetch(url(ACCESS_CHANGES_PATH), {
      method: 'POST',
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      body,
    });

  test('answers nobody but the gateway', async () => {
    const strange = sign('{}', deriveCallKey('another secret', 'users'));
    const endless = '{}'.padEnd(10_000);
    const answers = await Promise.all([
      post('{}', null),
      post('{}', sign('{"a":1}')),
      post('{}', strange),
      post(endless),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    const refused = apart(deriveCallKey('another secret', 'users'))(new AbortController().signal);
    await expect(following(refused).ended).rejects.toThrow('401');
  });

  test('an answer ends when its subgraph stops, and no other begins', async () => {
    const subgraph = createUsersSubgraph(opened.platform);
    const other = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
    const jwksUrl = `http://127.0.0.1:${other.port}${JWKS_PATH}`;
    const news = fetchAccessNews({ jwksUrl, signCall: (_subgraph, _identity, body) => sign(body) });
    const { heard, ended: over } = following(news(new AbortController().signal));
    await waitFor('the present', () => heard.at(-1)?.kind === 'current');
    await subgraph.closeRoutes();
    await over;
    await expect(following(news(new AbortController().signal)).ended).rejects.toThrow('503');
    await other[Symbol.asyncDispose]();
  });
});

test('signing out twice ends the session once, without an error, and is written down once', async () => {
  const viewer = await signedUp();
  const END = 'mutation { endSessions(input: {}) { ended errors { code } } }';
  expect(await askFor(users, viewer, END)).toEqual({ endSessions: { ended: 1, errors: [] } });
  expect(await askFor(users, viewer, END)).toEqual({ endSessions: { ended: 0, errors: [] } });
  const { prisma } = opened.platform.database;
  const audits = await prisma.auditEvent.findMany({ where: { subjectId: viewer.sessionId, action: 'session.ended' } });
  expect(audits).toMatchObject([{ actorId: viewer.userId, requestId: identityOf(viewer).requestId }]);
});
