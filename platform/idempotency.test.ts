import { newId } from './ids';
import { claimIdempotencyKey, IDEMPOTENCY_MS } from './idempotency';
import { openTestPlatform, type TestPlatform } from './testing/platform';

let test_: TestPlatform;
beforeAll(async () => void (test_ = await openTestPlatform()));
afterAll(() => test_[Symbol.asyncDispose]());

const OWNER = newId('usr');
interface Claim {
  ownerId?: string;
  operation?: string;
  key?: string | null;
  input?: unknown;
}

/** Claims a key in a transaction of its own; `work` runs before the commit. */
function claim(resultId: string, changes: Claim, work: () => Promise<void> = async () => {}): Promise<string | null> {
  const call = { ownerId: OWNER, operation: 'uploadFile', key: 'k', input: { name: 'a' }, ...changes };
  return test_.platform.database.prisma.$transaction(async (tx) => {
    const earlier = await claimIdempotencyKey(tx, call, resultId);
    await work();
    return earlier;
  });
}

test('the first call does the work and a repetition is told its result', async () => {
  expect(await claim('first', { key: 'repeated' })).toBeNull();
  expect(await claim('second', { key: 'repeated' })).toBe('first');
  expect(await claim('third', { key: 'repeated' })).toBe('first');
});

test('without a key every call does the work', async () => {
  expect(await claim('first', { key: null })).toBeNull();
  expect(await claim('second', { key: null })).toBeNull();
});

test('the key with another input is IDEMPOTENCY_MISMATCH', async () => {
  await claim('first', { key: 'mismatch' });
  await expect(claim('second', { key: 'mismatch', input: { name: 'b' } })).rejects.toMatchObject({
    problem: { code: 'IDEMPOTENCY_MISMATCH', path: ['input', 'idempotencyKey'] },
  });
});

test('a key belongs to its owner and its operation', async () => {
  await claim('first', { key: 'shared' });
  expect(await claim('second', { key: 'shared', ownerId: newId('usr') })).toBeNull();
  expect(await claim('third', { key: 'shared', operation: 'createMedia' })).toBeNull();
});

test('of calls at the same time one does the work and the others are told its result', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, index) => claim(`result-${index}`, { key: 'race' })),
  );
  const worker = outcomes.indexOf(null);
  expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === `result-${worker}`)).toHaveLength(7);
});

test('a call that fails gives its key back', async () => {
  const failing = claim('first', { key: 'failed' }, async () => {
    throw new Error('no room');
  });
  await expect(failing).rejects.toThrow('no room');
  expect(await claim('second', { key: 'failed' })).toBeNull();
});

test('a key is forgotten after a day', async () => {
  await claim('first', { key: 'old' });
  const createdAt = new Date(Date.now() - IDEMPOTENCY_MS - 1_000);
  await test_.platform.database.prisma.idempotencyKey.updateMany({ where: { key: 'old' }, data: { createdAt } });
  expect(await claim('second', { key: 'old' })).toBeNull();
});

test.each(['', 'k'.repeat(256), 'a\0b'])('the key %j is INVALID_INPUT', async (key) => {
  await expect(claim('first', { key })).rejects.toMatchObject({ problem: { code: 'INVALID_INPUT' } });
});
