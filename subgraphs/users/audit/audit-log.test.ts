import { USER_SCOPES } from '../../../platform/identity/scopes';
import type { Viewer } from '../../../platform/identity/viewer';
import { newId } from '../../../platform/ids';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { USERS_MODELS } from '../records';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount, type Account } from '../testing-accounts';
import { recordAudit, type AuditEntry } from './audit-log';
import { AuditRecords } from './audit-records';
import { exportAuditLog, type AuditFormat } from './export-audit-log';

const LOG = `query ($first: Int, $after: String, $filter: AuditFilter) { auditLog(first: $first, after: $after, filter: $filter) {
  nodes { action actor { id email profile { displayName } } subjectId ipAddress metadata } pageInfo { hasNextPage endCursor } } }`;

let test_: TestPlatform;
let users: UsersSubgraph;
let amina: Account;
const auditor: Viewer = { ...aViewer(), scopes: [...USER_SCOPES, 'admin:audit'] };

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
  amina = await anAccount(test_.platform, { displayName: 'Amina' });
  await record({ action: 'session.started', subjectId: newId('ses'), metadata: { assurance: 'PASSWORD' } });
  await record({ action: 'password.changed', subjectId: amina.user.id });
  await record({ action: 'signIn.failed', actorId: null, subjectId: amina.user.id, metadata: { text: '=1+1,"x"' } });
});
afterAll(() => test_[Symbol.asyncDispose]());

async function record(entry: AuditEntry): Promise<void> {
  const client = { ipAddress: '192.0.2.7', userAgent: null, cookies: null };
  const slice = test_.platform.database.slice(USERS_MODELS);
  await slice.transaction((tx) => recordAudit(tx, { viewer: amina.viewer, requestId: 'r1', client }, entry));
}

interface Log {
  auditLog: { nodes: { action: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
}
const read = async (filter: object = {}, page: object = {}) =>
  (await askFor<Log>(users, auditor, LOG, { filter, ...page })).auditLog;
const actions = async (filter: object): Promise<string[]> => (await read(filter)).nodes.map(({ action }) => action);
const codeOf = async (viewer: Viewer | null, variables: Record<string, unknown> = {}) =>
  (await ask(users, viewer, LOG, variables)).errors?.[0]?.extensions?.['code'];

test('tells what happened, newest first, with the actor’s name and no more of them, in pages that join up', async () => {
  const first = await read({}, { first: 2 });
  expect(first.nodes).toEqual([
    {
      ...{ action: 'signIn.failed', actor: null, subjectId: amina.user.id, ipAddress: '192.0.2.7' },
      metadata: { text: '=1+1,"x"' },
    },
    {
      action: 'password.changed',
      actor: { id: amina.user.id, email: null, profile: { displayName: 'Amina' } },
      ...{ subjectId: amina.user.id, ipAddress: '192.0.2.7', metadata: {} },
    },
  ]);
  const second = await read({}, { first: 2, after: first.pageInfo.endCursor });
  expect(second).toMatchObject({ nodes: [{ action: 'session.started' }], pageInfo: { hasNextPage: false } });
});

test('is filtered by actor, subject, action and time', async () => {
  expect(await actions({ actorId: amina.user.id })).toEqual(['password.changed', 'session.started']);
  expect(await actions({ subjectId: amina.user.id })).toEqual(['signIn.failed', 'password.changed']);
  expect(await actions({ subjectId: amina.user.id, action: 'password.changed' })).toEqual(['password.changed']);
  expect(await actions({ period: { from: '2020-01-01T00:00:00Z', to: '2020-12-01T00:00:00Z' } })).toEqual([]);
  const [from, to] = [-60_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
  expect(await actions({ period: { from, to } })).toHaveLength(3);
  for (const impossible of ['x'.repeat(65), 'a\0b', '']) expect(await actions({ actorId: impossible })).toEqual([]);
});

test.each([
  ['ends before it begins', '2026-02-01T00:00:00Z', '2026-01-01T00:00:00Z'],
  ['is longer than 366 days', '2024-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
])('a period that %s is BAD_USER_INPUT', async (_what, from, to) => {
  expect(await codeOf(auditor, { filter: { period: { from, to } } })).toBe('BAD_USER_INPUT');
});

test('nobody reads it without the scope, as a page or as an entity', async () => {
  expect(await codeOf(amina.viewer)).toBe('FORBIDDEN');
  expect(await codeOf(null)).toBe('UNAUTHENTICATED');
  const { id } = await test_.platform.database.prisma.auditEvent.findFirstOrThrow();
  const entity = (viewer: Viewer | null) =>
    askFor(users, viewer, 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on AuditEvent { id } } }', {
      of: [{ __typename: 'AuditEvent', id }],
    });
  expect(await entity(auditor)).toEqual({ _entities: [{ id }] });
  for (const viewer of [amina.viewer, null]) expect(await entity(viewer)).toEqual({ _entities: [null] });
});

test('the database itself refuses to change, delete or empty it', async () => {
  const { prisma } = test_.platform.database;
  await expect(prisma.auditEvent.updateMany({ data: { action: 'x' } })).rejects.toThrow(/append-only/);
  await expect(prisma.auditEvent.deleteMany()).rejects.toThrow(/append-only/);
  await expect(prisma.$executeRaw`truncate users.audit_event`).rejects.toThrow(/append-only/);
});

describe('the export', () => {
  const all = { actorId: null, subjectId: null, action: null, period: { from: null, to: null } };
  async function exported(format: AuditFormat): Promise<string> {
    const records = new AuditRecords(test_.platform.database.slice(USERS_MODELS));
    let text = '';
    for await (const line of exportAuditLog(records, all, format)) text += line;
    return text;
  }

  test('as NDJSON has one object in each line, oldest first', async () => {
    const lines = (await exported('ndjson')).trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { action: string; metadata: object });
    expect(events.map(({ action }) => action)).toEqual(['session.started', 'password.changed', 'signIn.failed']);
    expect(events[0]).toMatchObject({ actorId: amina.user.id, requestId: 'r1', metadata: { assurance: 'PASSWORD' } });
  });

  test('as CSV quotes what RFC 4180 says', async () => {
    const lines = (await exported('csv')).split('\r\n');
    expect(lines[0]).toBe('id,at,action,actorId,subjectId,ipAddress,requestId,metadata');
    expect(lines[3]).toMatch(/,signIn\.failed,,usr_\w+,192\.0\.2\.7,r1,"\{""text"":""=1\+1,\\""x\\""""\}"$/);
    expect(lines).toHaveLength(5);
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('shows the cell %j as text', async (action) => {
    const { prisma } = test_.platform.database;
    await prisma.auditEvent.create({ data: { id: newId('aud'), action } });
    const cell = `'${action}`;
    expect(await exported('csv')).toContain(action === '\rx' ? `,"${cell}",` : `,${cell},`);
  });
});
