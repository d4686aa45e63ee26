import { verifyAccessToken } from '../../../platform/identity/access-token';
import { silentLogger } from '../../../platform/logger';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { UserRecords, USERS_MODELS } from '../records';
import { createUsersSubgraph } from '../subgraph';
import { KeyRotation, LAST_TOKEN_MS, OVERLAP_MS, stateOf, type KeyState } from './key-rotation';
import { RELOAD_MS, SigningKeys, signingKeySeal } from './signing-keys';
import { askFor } from '../../../platform/testing/calls';

let opened: TestPlatform;
let records: UserRecords;
let clockMs: number;
const clock = (): Date => new Date(clockMs);

beforeAll(async () => {
  opened = await openTestPlatform();
  records = new UserRecords(opened.platform.database.slice(USERS_MODELS));
});
afterAll(() => opened[Symbol.asyncDispose]());
beforeEach(async () => {
  clockMs = Date.now();
  await opened.platform.database.prisma.signingKey.deleteMany();
});

const SECRET = 'a secret of at least thirty-two characters';
const aProcess = (secret = SECRET): SigningKeys =>
  new SigningKeys(records, signingKeySeal(secret), clock, silentLogger);
const rotation = (): KeyRotation => new KeyRotation(records, signingKeySeal(SECRET), clock);
const published = async (keys: SigningKeys): Promise<string[]> => (await keys.jwks()).keys.map(({ kid }) => kid);
const states = async (): Promise<[string, KeyState][]> => {
  const keys = await rotation().list();
  return keys.map((key) => [key.kid, stateOf(key, keys, clock())]);
};

test('of processes that start at once one makes the key, and all sign with it', async () => {
  const processes = Array.from({ length: 5 }, () => aProcess());
  const signers = await Promise.all(processes.map((keys) => keys.current()));
  expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1);
  for (const keys of processes) expect(await published(keys)).toEqual([signers[0]!.kid]);
});

test('private keys are sealed in the database, those of an older version from their first reading on', async () => {
  const { kid, privateKeyPem } = await aProcess().current();
  const stored = async (): Promise<string> =>
    (await opened.platform.database.prisma.signingKey.findUniqueOrThrow({ where: { kid } })).privateKey;
  expect(await stored()).toMatch(/^v1\.[\w-]+$/);
  await opened.platform.database.prisma.signingKey.update({ where: { kid }, data: { privateKey: privateKeyPem } });
  expect(await aProcess().current()).toEqual({ kid, privateKeyPem });
  expect(await stored()).toMatch(/^v1\.[\w-]+$/);
  expect(await aProcess().current()).toEqual({ kid, privateKeyPem });
});

test('nothing of a private key is published', async () => {
  const users = createUsersSubgraph(opened.platform);
  const [key] = (await users.jwks()).keys;
  expect(Object.keys(key!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('with another secret there is a new key, and tokens of the one before are verified until they end', async () => {
  const old = await aProcess().current();
  const other = aProcess('another secret of thirty-two characters or more');
  const { kid } = await other.current();
  expect(kid).not.toBe(old.kid);
  expect((await published(other)).sort()).toEqual([kid, old.kid].sort());
  expect(await aProcess().current()).toEqual(old);
});

test('a rotated key is published at once, signs after the overlap, and its predecessor goes when its last token is over', async () => {
  const [one, other] = [aProcess(), aProcess()];
  const old = (await one.current()).kid;
  await other.current();
  clockMs += 1;
  const made = await rotation().rotate();
  expect(await states()).toEqual([
    [made, 'coming'],
    [old, 'signing'],
  ]);
  clockMs += RELOAD_MS + 1;
  for (const keys of [one, other]) {
    expect((await published(keys)).sort()).toEqual([made, old].sort());
    expect((await keys.current()).kid).toBe(old);
  }
  clockMs += OVERLAP_MS - RELOAD_MS - 2;
  expect((await one.current()).kid).toBe(old);
  clockMs += 1;
  expect((await one.current()).kid).toBe(made);
  expect(await states()).toEqual([
    [made, 'signing'],
    [old, 'published'],
  ]);
  clockMs += LAST_TOKEN_MS - 1;
  expect(await published(other)).toContain(old);
  clockMs += 1;
  for (const keys of [one, other]) expect(await published(keys)).toEqual([made]);
  expect(await states()).toEqual([
    [made, 'signing'],
    [old, 'retired'],
  ]);
});

test('the last token of a retired key is good as long as it lives', async () => {
  const users = createUsersSubgraph(opened.platform, clock);
  const commands = new KeyRotation(records, signingKeySeal(opened.platform.secret), clock);
  await users.jwks();
  await commands.rotate();
  clockMs += OVERLAP_MS - 1;
  const { signUp } = await askFor<{ signUp: { tokens: { accessToken: string } } }>(
    users,
    null,
    `mutation { signUp(input: { email: "last@sauti.example", password: "correct horse battery", displayName: "A" }) {
      tokens { accessToken } } }`,
  );
  clockMs += 10 * 60_000 + 29_000;
  expect(verifyAccessToken(signUp.tokens.accessToken, await users.jwks(), clock()).viewer.userId).toMatch(/^usr_/);
});

test('a stolen key is replaced and retired at once', async () => {
  const keys = aProcess();
  const stolen = (await keys.current()).kid;
  await expect(rotation().retire(stolen, { atOnce: true })).rejects.toThrow('No other key signs');
  await expect(rotation().retire('nonsense')).rejects.toThrow('There is no key nonsense');
  const made = await rotation().rotate({ atOnce: true });
  expect(await rotation().retire(stolen, { atOnce: true })).toEqual(clock());
  clockMs += RELOAD_MS + 1;
  expect([(await keys.current()).kid, await published(keys)]).toEqual([made, [made]]);
  // Retiring it once more does not bring it back.
  expect(await rotation().retire(stolen)).toEqual(new Date(clockMs - RELOAD_MS - 1));
});

test('keys that cannot be read again stay in use; the reading is tried again', async () => {
  let isAway = false;
  const flaky = Object.create(records, {
    signingKeys: {
      value: async () => {
        if (isAway) throw new Error('The database is away.');
        return records.signingKeys();
      },
    },
  }) as UserRecords;
  const keys = new SigningKeys(flaky, signingKeySeal(SECRET), clock, silentLogger);
  isAway = true;
  await expect(keys.current()).rejects.toThrow('away');
  isAway = false;
  const first = await keys.current();
  isAway = true;
  clockMs += 3_600_000;
  expect(await keys.current()).toEqual(first);
  isAway = false;
  const made = await rotation().rotate({ atOnce: true });
  clockMs += 1;
  expect((await keys.current()).kid).toBe(made);
});
