import { waitFor } from '../../../platform/testing/wait';
import { Pool, type Pooled } from './pool';

class Tool implements Pooled {
  isUsable = true;
  isClosed = false;
  atRest: Promise<void> = Promise.resolve();
  settled() {
    return this.atRest;
  }
  async [Symbol.asyncDispose]() {
    this.isClosed = true;
  }
}

function aPool(limit: number, idleMs?: number) {
  const opened: Tool[] = [];
  const open = async () => (opened.push(new Tool()), opened.at(-1)!);
  const pool = new Pool({ limit, open, ...(idleMs != null && { idleMs }) });
  return { pool, opened };
}

const never = new AbortController().signal;

/** Whether a promise is still undecided after everything that was ready has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise((resolve) => setImmediate(() => resolve('turn')));
  return (await Promise.race([promise, turn])) === 'turn';
}

test('lends the same resource to one caller after the other', async () => {
  const { pool, opened } = aPool(1);
  const first = await pool.acquire(never);
  const waiting = pool.acquire(never);
  expect(await isPending(waiting)).toBe(true);
  first[Symbol.dispose]();
  expect((await waiting).resource).toBe(first.resource);
  expect(opened).toHaveLength(1);
});

test('lends up to its limit at once', async () => {
  const { pool, opened } = aPool(2);
  await pool.acquire(never);
  await pool.acquire(never);
  expect(await isPending(pool.acquire(never))).toBe(true);
  expect(opened).toHaveLength(2);
});

test('serves waiting callers in the order they came', async () => {
  const { pool } = aPool(1);
  const first = await pool.acquire(never);
  const order: string[] = [];
  const second = pool.acquire(never).then((loan) => (order.push('second'), loan));
  const third = pool.acquire(never).then((loan) => (order.push('third'), loan));
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  await third;
  expect(order).toEqual(['second', 'third']);
});

test('a caller that gives up waiting loses nobody a place', async () => {
  const { pool } = aPool(1);
  const first = await pool.acquire(never);
  const leaving = new AbortController();
  const left = pool.acquire(leaving.signal);
  const staying = pool.acquire(never);
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  first[Symbol.dispose]();
  expect((await staying).resource).toBe(first.resource);
});

test('a caller that leaves in the moment it is served passes the place on', async () => {
  const { pool } = aPool(1);
  const first = await pool.acquire(never);
  const leaving = new AbortController();
  const left = pool.acquire(leaving.signal);
  const staying = pool.acquire(never);
  first.resource.atRest.then(() => leaving.abort(new Error('left'))).catch(() => {});
  first[Symbol.dispose]();
  const served = left.then(
    (loan) => loan[Symbol.dispose](),
    () => {},
  );
  await served;
  expect((await staying).resource).toBe(first.resource);
});

test('passes a resource on only when it has come to rest', async () => {
  const { pool } = aPool(1);
  const first = await pool.acquire(never);
  let rest = () => {};
  first.resource.atRest = new Promise((resolve) => (rest = resolve));
  const waiting = pool.acquire(never);
  first[Symbol.dispose]();
  expect(await isPending(waiting)).toBe(true);
  rest();
  await waiting;
});

test('replaces a resource that broke during a loan or between loans', async () => {
  const { pool, opened } = aPool(1);
  const first = await pool.acquire(never);
  first.resource.isUsable = false;
  first[Symbol.dispose]();
  const second = await pool.acquire(never);
  expect(second.resource).not.toBe(first.resource);
  second[Symbol.dispose]();
  await second.resource.settled();
  second.resource.isUsable = false;
  expect((await pool.acquire(never)).resource).not.toBe(second.resource);
  expect(opened.map((tool) => tool.isClosed)).toEqual([true, true, false]);
});

test('a resource that cannot be opened frees its place', async () => {
  let fails = true;
  const pool = new Pool({
    limit: 1,
    open: async () => {
      if (fails) throw new Error('no library');
      return new Tool();
    },
  });
  await expect(pool.acquire(never)).rejects.toThrow('no library');
  fails = false;
  await pool.acquire(never);
});

test('closing closes lent and idle resources and refuses those who wait', async () => {
  const { pool, opened } = aPool(2);
  const idle = await pool.acquire(never);
  await pool.acquire(never);
  idle[Symbol.dispose]();
  await idle.resource.settled();
  await pool.acquire(never);
  const waiting = pool.acquire(never);
  await pool[Symbol.asyncDispose]();
  await expect(waiting).rejects.toThrow('The pool is closed.');
  await expect(pool.acquire(never)).rejects.toThrow();
  expect(opened.every((tool) => tool.isClosed)).toBe(true);
});

test('a resource that nobody has used for a while is closed, and one in use is not', async () => {
  const { pool, opened } = aPool(2, 1);
  const used = await pool.acquire(never);
  const left = await pool.acquire(never);
  left[Symbol.dispose]();
  await waitFor('the idle one to be closed', () => left.resource.isClosed);
  expect(used.resource.isClosed).toBe(false);
  expect((await pool.acquire(never)).resource).not.toBe(left.resource);
  expect(opened).toHaveLength(3);
});

test('a caller that leaves while a resource is opened leaves it to the next', async () => {
  let finish = () => {};
  const opened: Tool[] = [];
  const pool = new Pool({
    limit: 1,
    open: async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      opened.push(new Tool());
      return opened.at(-1)!;
    },
  });
  const leaving = new AbortController();
  const left = pool.acquire(leaving.signal);
  const staying = pool.acquire(never);
  expect(await isPending(left)).toBe(true);
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  finish();
  expect((await staying).resource).toBe(opened[0]);
  expect(opened).toHaveLength(1);
});
