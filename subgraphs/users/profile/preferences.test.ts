import type { Viewer } from '../../../platform/identity/viewer';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { viewerTopic } from '../events';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount } from '../testing/an-account';

const FIELDS = 'preferences { version values updatedAt assistant { name tone instructions } }';
const READ = `{ viewer { ${FIELDS} } }`;
const UPDATE = `mutation ($input: UpdatePreferencesInput!) {
  result: updatePreferences(input: $input) { user { ${FIELDS} } errors { code message path } }
}`;

interface Shown {
  version: number;
  values: Record<string, unknown>;
  updatedAt: string | null;
  assistant: { name: string; tone: string; instructions: string | null };
}
interface Updated {
  user: { preferences: Shown } | null;
  errors: { code: string; message: string; path: string[] }[];
}

let test_: TestPlatform;
let users: UsersSubgraph;
beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform, () => new Date('2026-11-26T12:00:00Z'));
});
afterAll(() => test_[Symbol.asyncDispose]());

const update = async (viewer: Viewer, patch: unknown, expectedVersion?: number): Promise<Updated> =>
  (await askFor<{ result: Updated }>(users, viewer, UPDATE, { input: { patch, expectedVersion } })).result;
const shown = async (viewer: Viewer): Promise<Shown> =>
  (await askFor<{ viewer: { preferences: Shown } }>(users, viewer, READ)).viewer.preferences;
const codesOf = ({ errors }: Updated): [string, string][] => errors.map(({ code, path }) => [code, path.join('.')]);
const aNewViewer = async (): Promise<Viewer> => (await anAccount(test_.platform)).viewer;

test('begin empty, with version 0', async () => {
  expect(await shown(await aNewViewer())).toEqual({
    version: 0,
    values: {},
    updatedAt: null,
    assistant: { name: 'Sauti', tone: 'neutral', instructions: null },
  });
});

test('each change merges a patch, raises the version and tells the other devices', async () => {
  const viewer = await aNewViewer();
  await update(viewer, { theme: 'dark', captions: { size: 3, colors: ['#fff', '#000'] } });
  const answer = await update(viewer, { captions: { size: null, colors: ['#eee'], font: 'Inter' } }, 1);
  expect(answer).toMatchObject({
    user: {
      preferences: {
        version: 2,
        values: { theme: 'dark', captions: { colors: ['#eee'], font: 'Inter' } },
        updatedAt: '2026-11-26T12:00:00.000Z',
      },
    },
    errors: [],
  });
  expect(await shown(viewer)).toEqual(answer.user!.preferences);
  expect(await test_.platform.events.head(viewerTopic(viewer.userId))).toBe(2);
});

test('a patch that changes nothing leaves the version and tells nobody', async () => {
  const viewer = await aNewViewer();
  await update(viewer, { a: { b: 1 } });
  for (const patch of [{}, { a: { b: 1 } }, { c: null }])
    expect((await update(viewer, patch)).user!.preferences.version).toBe(1);
  expect(await test_.platform.events.head(viewerTopic(viewer.userId))).toBe(1);
});

test('a change of an old version is a CONFLICT and changes nothing', async () => {
  const viewer = await aNewViewer();
  await update(viewer, { a: 1 });
  for (const version of [0, 2, -1, 2_147_483_647])
    expect(codesOf(await update(viewer, { a: 2 }, version))).toEqual([['CONFLICT', 'input.expectedVersion']]);
  expect(await shown(viewer)).toMatchObject({ version: 1, values: { a: 1 } });
});

test('of twenty devices that change the same version one wins', async () => {
  const viewer = await aNewViewer();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => update(viewer, { winner: n }, 0)));
  expect(answers.flatMap(codesOf)).toEqual(Array.from({ length: 19 }, () => ['CONFLICT', 'input.expectedVersion']));
  const winner = answers.find(({ errors }) => errors.length === 0)!.user!.preferences;
  expect(await shown(viewer)).toEqual(winner);
});

test('of twenty devices that merge at the same time none is lost', async () => {
  const viewer = await aNewViewer();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => update(viewer, { [`device${n}`]: n })));
  expect(answers.map(({ user }) => user!.preferences.version).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
  expect(Object.keys((await shown(viewer)).values)).toHaveLength(20);
  expect(await test_.platform.events.head(viewerTopic(viewer.userId))).toBe(20);
});

test('are told apart by account', async () => {
  const [amina, baraka] = [await aNewViewer(), await aNewViewer()];
  await update(amina, { secret: 1 });
  expect((await shown(baraka)).values).toEqual({});
});

test('keys that mean something to JavaScript are kept as data', async () => {
  const viewer = await aNewViewer();
  const text =
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toJSON":"x","$type":"Raw"}';
  expect(codesOf(await update(viewer, JSON.parse(text)))).toEqual([]);
  await update(viewer, JSON.parse('{"__proto__":{"more":1}}'));
  const { values } = await shown(viewer);
  expect(Object.entries(values).sort()).toEqual([
    ['$type', 'Raw'],
    ['__proto__', { polluted: true, more: 1 }],
    ['constructor', { prototype: { polluted: true } }],
    ['toJSON', 'x'],
  ]);
  expect('polluted' in {}).toBe(false);
});

describe('the assistant', () => {
  test('is what values.assistant says, and what it leaves out is as before', async () => {
    const viewer = await aNewViewer();
    await update(viewer, { assistant: { name: 'Zawadi', instructions: 'Be brief.\nSay "karibu".', color: 'red' } });
    expect((await shown(viewer)).assistant).toEqual({
      name: 'Zawadi',
      tone: 'neutral',
      instructions: 'Be brief.\nSay "karibu".',
    });
    await update(viewer, { assistant: { tone: 'friendly', name: null } });
    expect((await shown(viewer)).assistant).toMatchObject({ name: 'Sauti', tone: 'friendly' });
    await update(viewer, { assistant: null });
    expect((await shown(viewer)).assistant).toEqual({ name: 'Sauti', tone: 'neutral', instructions: null });
  });

  test.each<[key: string, assistant: unknown]>([
    ['', 'Zawadi'],
    ['', []],
    ['.name', { name: '' }],
    ['.name', { name: ' ' }],
    ['.name', { name: 'a'.repeat(61) }],
    ['.name', { name: 'a\nb' }],
    ['.name', { name: 1 }],
    ['.tone', { tone: 'a'.repeat(61) }],
    ['.tone', { tone: {} }],
    ['.instructions', { instructions: 'a'.repeat(2_001) }],
    ['.instructions', { instructions: ['a'] }],
  ])('cannot have%s as in %j', async (key, assistant) => {
    const viewer = await aNewViewer();
    expect(codesOf(await update(viewer, { assistant }))).toEqual([['INVALID_INPUT', `input.patch.assistant${key}`]]);
    expect(await shown(viewer)).toMatchObject({ version: 0, values: {} });
  });

  test('takes the longest texts that are allowed', async () => {
    const longest = { name: '😀'.repeat(60), tone: 'a'.repeat(60), instructions: '\n'.repeat(2_000) };
    const { user } = await update(await aNewViewer(), { assistant: longest });
    expect(user!.preferences.assistant).toEqual(longest);
  });
});

describe('a document', () => {
  const nested = (levels: number): unknown => (levels === 0 ? {} : { a: nested(levels - 1) });

  test('has at most 64 KiB, also when small patches make it larger', async () => {
    const viewer = await aNewViewer();
    const half = 'x'.repeat(32_000);
    await update(viewer, { a: half, b: half });
    const { errors } = await update(viewer, { c: 'x'.repeat(2_000) });
    expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'patch'] }]);
    expect(errors[0]!.message).toMatch(/at most 65536 bytes/);
    expect((await update(viewer, { a: 'small', c: 'x'.repeat(2_000) })).errors).toEqual([]);
  });

  test('has a depth of at most 32', async () => {
    const viewer = await aNewViewer();
    expect((await update(viewer, nested(31))).errors).toEqual([]);
    const { errors } = await ask(users, viewer, UPDATE, { input: { patch: nested(32) } });
    expect(errors![0]!.extensions!['code']).toBe('BAD_USER_INPUT');
  });

  test.each(['a\0b', '\ud800', { 'a\0': 1 }, ['\udfff']])('does not hold %j', async (value) => {
    const viewer = await aNewViewer();
    expect(codesOf(await update(viewer, { value }))).toEqual([['INVALID_INPUT', 'input.patch']]);
  });

  test('holds what only looks like that', async () => {
    const value = ['\\u0000', '\\\\ud800', '😀', '\u2028', 'a\r\nb', '\u001b[31m'];
    expect((await update(await aNewViewer(), { value })).user!.preferences.values).toEqual({ value });
  });

  test.each([null, 1, 'text', true, []])('cannot be replaced by %j', async (patch) => {
    const viewer = await aNewViewer();
    const { data, errors } = await ask(users, viewer, UPDATE, { input: { patch } });
    const refusal = (data as { result?: Updated } | null)?.result?.errors[0]?.code ?? errors?.[0]?.extensions?.['code'];
    expect(refusal).toMatch(/^(INVALID_INPUT|BAD_USER_INPUT)$/);
    expect(await shown(viewer)).toMatchObject({ version: 0, values: {} });
  });
});

test('is for people who are signed in, and whose account is still there', async () => {
  for (const nobody of [null, aViewer()]) {
    const { errors } = await ask(users, nobody, UPDATE, { input: { patch: {} } });
    expect(errors![0]!.extensions!['code']).toBe('UNAUTHENTICATED');
  }
});
