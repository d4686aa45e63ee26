import { hashOfApiKey, newApiKey, type VerifiedApiKey } from '../../platform/identity/api-key';
import { createApiKeyCheck } from './api-keys';

const { key } = newApiKey();
const viewer = { userId: 'usr_1', sessionId: 'key_1', scopes: ['media:read'] };
const REFUSED = 'The API key is not valid: it is unknown, revoked or has expired.';

/** A check over one key that a test may change, with a clock it sets. */
function aCheck(expiresAt: Date | null = null) {
  const state = {
    now: 1_000_000,
    asked: 0,
    hashes: [] as string[],
    known: true,
    wait: undefined as Promise<void> | undefined,
  };
  const check = createApiKeyCheck({
    async verify(keyHash) {
      state.asked++;
      state.hashes.push(keyHash);
      const answer: VerifiedApiKey = { viewer, expiresAt, checkedAt: new Date(state.now) };
      const isKnown = state.known && keyHash === hashOfApiKey(key);
      await state.wait;
      return isKnown ? answer : null;
    },
    now: () => state.now,
  });
  return { check, state };
}

test('a key is asked about by its hash, once for those who come together, and at most once a minute', async () => {
  const { check, state } = aCheck();
  const tokens = await Promise.all([check.verify(key), check.verify(key), check.verify(key)]);
  expect(tokens.map((token) => token.viewer)).toEqual([viewer, viewer, viewer]);
  expect(state.hashes).toEqual([hashOfApiKey(key)]);
  state.now += 59_999;
  await check.verify(key);
  expect(state.asked).toBe(1);
  state.now += 1;
  await check.verify(key);
  expect(state.asked).toBe(2);
});

test('a key is not used beyond its end, and a connection on it lives an hour at most', async () => {
  const { check, state } = aCheck(new Date(1_030_000));
  expect((await check.verify(key)).endsAt).toEqual(new Date(1_030_000));
  state.now = 1_030_000;
  state.known = false;
  await expect(check.verify(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  const { check: endless } = aCheck();
  expect((await endless.verify(key)).endsAt).toEqual(new Date(1_000_000 + 3_600_000));
});

test('what does not work is refused in the same words, and what cannot be one asks nobody', async () => {
  const { check, state } = aCheck();
  for (const refused of [newApiKey().key, `${key}x`, 'sauti_', `${key} `, 'sauti_00000000_', ''])
    await expect(check.verify(refused)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: REFUSED });
  expect(state.asked).toBe(1);
});

test('a refused key is asked about again after ten seconds', async () => {
  const { check, state } = aCheck();
  state.known = false;
  await expect(check.verify(key)).rejects.toThrow(REFUSED);
  state.now += 9_999;
  await expect(check.verify(key)).rejects.toThrow(REFUSED);
  expect(state.asked).toBe(1);
  state.now += 1;
  state.known = true;
  expect(await check.verify(key)).toMatchObject({ viewer });
});

test.each([
  ['its revocation', { kind: 'ended', sessionId: 'key_1', at: '2026-11-26T12:00:00.000Z' }, 2],
  ['a change of its account', { kind: 'changed', userId: 'usr_1', at: '2026-11-26T12:00:00.000Z' }, 2],
  ['the revocation of another', { kind: 'ended', sessionId: 'key_2', at: '2026-11-26T12:00:00.000Z' }, 1],
  ['a change of another account', { kind: 'changed', userId: 'usr_2', at: '2026-11-26T12:00:00.000Z' }, 1],
  ['the end of a session', { kind: 'ended', sessionId: 'ses_1', at: '2026-11-26T12:00:00.000Z' }, 1],
] as const)('after %s a key is asked about anew where it is concerned', async (_what, change, asked) => {
  const { check, state } = aCheck();
  await check.verify(key);
  check.take(change);
  await check.verify(key);
  expect(state.asked).toBe(asked);
});

test('an answer to a question from before a revocation is not kept', async () => {
  const { check, state } = aCheck();
  let answer = (): void => {};
  state.wait = new Promise((resolve) => (answer = resolve));
  const early = check.verify(key);
  check.take({ kind: 'ended', sessionId: 'key_1', at: '2026-11-26T12:00:00.000Z' });
  state.known = false;
  answer();
  await early;
  await expect(check.verify(key)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('while nobody can be asked a known key works on for its minute, and others are told to come again', async () => {
  const { check, state } = aCheck();
  await check.verify(key);
  state.wait = Promise.reject(new Error('down'));
  state.wait.catch(() => {});
  expect(await check.verify(key)).toMatchObject({ viewer });
  await expect(check.verify(newApiKey().key)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  state.now += 60_000;
  await expect(check.verify(key)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
});

test('the keys that are kept are bounded, and those in use stay', async () => {
  let asked = 0;
  const check = createApiKeyCheck({
    async verify() {
      asked++;
      return { viewer, expiresAt: null, checkedAt: new Date() };
    },
    now: () => 0,
  });
  await check.verify(key);
  for (let index = 0; index < 10_000; index++) {
    await check.verify(newApiKey().key);
    if (index % 5_000 === 0) await check.verify(key);
  }
  expect(asked).toBe(10_001);
  await check.verify(key);
  expect(asked).toBe(10_001);
  for (let index = 0; index < 10_000; index++) await check.verify(newApiKey().key);
  await check.verify(key);
  expect(asked).toBe(20_002);
});
