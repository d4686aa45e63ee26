import { newId } from '../ids';
import type { Platform } from '../platform';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { waitFor } from '../testing/wait';
import type { LogItem } from './event-log';
import { decodeCursor, encodeCursor, encodePartialCursor, topicFamily } from './topic';

interface Note {
  from: string;
  n: number;
}
const notes = topicFamily<Note>('notes');

let test_: TestPlatform;
let platform: Platform;
let readers: AbortController;

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  readers = new AbortController();
});
afterEach(async () => {
  readers.abort();
  await test_[Symbol.asyncDispose]();
});

type Topic = ReturnType<typeof notes>;
const append = (topic: Topic, from: string, n: number): Promise<number> =>
  platform.database.prisma.$transaction((tx) => platform.events.append(tx, topic, { from, n }));

/** Reads in the background what comes behind `after`. */
function follow(topic: Topic, after = 0): { items: LogItem<Note>[]; ended: Promise<void> } {
  const items: LogItem<Note>[] = [];
  const ended = (async () => {
    for await (const item of platform.events.read(topic, { after, signal: readers.signal })) items.push(item);
  })();
  return { items, ended };
}

const seqs = (items: LogItem<Note>[]): number[] => items.map((item) => item.seq);
const upTo = (n: number, from = 1): number[] => Array.from({ length: n - from + 1 }, (_, index) => from + index);

/** Ends connections of this database from outside, as a restart or a network would. Answers how many. */
async function cutConnections(whose: string): Promise<number> {
  const rows = await platform.database.prisma.$queryRaw<unknown[]>`
    select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name like ${whose} and pid <> pg_backend_pid()`;
  return rows.length;
}

test('numbers events of a topic from 1 without holes, also where a transaction rolled back', async () => {
  const topic = notes(newId('med'));
  expect(await platform.events.head(topic)).toBe(0);
  expect(await append(topic, 'a', 1)).toBe(1);
  const rolledBack = platform.database.prisma.$transaction(async (tx) => {
    expect(await platform.events.append(tx, topic, { from: 'a', n: 2 })).toBe(2);
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  expect(await append(topic, 'a', 3)).toBe(2);
  expect(await platform.events.head(topic)).toBe(2);
  const { items } = follow(topic);
  await waitFor('both events', () => items.length === 2);
  expect(items).toEqual([
    { type: 'event', seq: 1, at: expect.any(Date) as Date, payload: { from: 'a', n: 1 } },
    { type: 'event', seq: 2, at: expect.any(Date) as Date, payload: { from: 'a', n: 3 } },
  ]);
});

test('appends several events at once in their order, behind those before, and none when the transaction rolls back', async () => {
  const topic = notes(newId('med'));
  const many = Array.from({ length: 30 }, (_, index) => ({ from: 'b', n: 30 - index }));
  await append(topic, 'a', 0);
  await platform.database.prisma.$transaction((tx) => platform.events.appendAll(tx, topic, many));
  const rolledBack = platform.database.prisma.$transaction(async (tx) => {
    await platform.events.appendAll(tx, topic, many);
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  await platform.database.prisma.$transaction((tx) => platform.events.appendAll(tx, topic, []));
  await append(topic, 'c', 99);
  const { items } = follow(topic);
  await waitFor('all events', () => items.length === 32);
  expect(items.map((item) => item.type === 'event' && item.payload.n)).toEqual([0, ...many.map(({ n }) => n), 99]);
  expect(seqs(items)).toEqual(upTo(32));
});

test('a reader gets every event once and in order while many append and its LISTEN connection is cut again and again', async () => {
  const topic = notes(newId('med'));
  const other = notes(newId('med'));
  const late = 40;
  const writers = ['a', 'b', 'c', 'd'];
  const each = 50;
  const reader = follow(topic);
  const neighbour = follow(other);
  let cuts = 0;
  let writing = true;
  const cutter = (async () => {
    while (writing) {
      cuts += await cutConnections('sauti:listen');
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  let resumed: ReturnType<typeof follow> | undefined;
  await Promise.all(
    writers.map(async (from) => {
      for (let n = 1; n <= each; n++) {
        await append(topic, from, n);
        if (n % 10 === 0) await append(other, from, n);
        if (n === 25) resumed ??= follow(topic, late);
      }
    }),
  );
  await waitFor('the connection to be cut again', () => cuts > 1);
  writing = false;
  await cutter;
  const total = writers.length * each;
  await waitFor('all events', () => reader.items.length >= total && resumed!.items.length >= total - late);
  await waitFor('the neighbour’s events', () => neighbour.items.length >= 20);

  expect(cuts).toBeGreaterThan(1);
  expect(seqs(reader.items)).toEqual(upTo(total));
  expect(seqs(resumed!.items)).toEqual(upTo(total, late + 1));
  expect(seqs(neighbour.items)).toEqual(upTo(20));
  for (const from of writers) {
    const own = reader.items.flatMap((item) =>
      item.type === 'event' && item.payload.from === from ? [item.payload.n] : [],
    );
    expect(own).toEqual(upTo(each));
  }
});

test('an event that is committed between a reader’s look and its wait is not overslept', async () => {
  const topic = notes(newId('med'));
  const { items } = follow(topic);
  for (let n = 1; n <= 100; n++) {
    await append(topic, 'a', n);
    await waitFor(`event ${n}`, () => items.length === n);
  }
  expect(seqs(items)).toEqual(upTo(100));
});

test('a reader outlives a database that throws everybody out', async () => {
  const topic = notes(newId('med'));
  const { items } = follow(topic);
  await append(topic, 'a', 1);
  await waitFor('the first event', () => items.length === 1);
  await cutConnections('%');
  await waitFor('the database to answer again', () => append(topic, 'a', 2));
  await waitFor('the second event', () => items.length >= 2);
  expect(seqs(items)).toEqual(upTo(items.length));
});

test('a reader that starts late reads a long log from the beginning', async () => {
  const topic = notes(newId('med'));
  await platform.database.prisma.$executeRaw`
    select platform.append_event(${topic.name}, jsonb_build_object('from', 'a', 'n', n)) from generate_series(1, 1000) n`;
  const { items } = follow(topic);
  await waitFor('all events', () => items.length === 1000);
  expect(seqs(items)).toEqual(upTo(1000));
});

test('what was pruned is told as one gap, and reading goes on behind it', async () => {
  const topic = notes(newId('med'));
  const untouched = notes(newId('med'));
  for (let n = 1; n <= 5; n++) await append(topic, 'a', n);
  await platform.database.prisma
    .$executeRaw`update platform.event set at = now() - interval '8 days' where topic = ${topic.name} and seq <= 3`;
  await append(untouched, 'a', 1);
  expect(await platform.events.prune(7 * 24 * 3_600_000)).toBe(3);

  const early = follow(topic, 1);
  const exact = follow(topic, 3);
  const neighbour = follow(untouched);
  await waitFor('the rest', () => early.items.length === 3 && exact.items.length === 2 && neighbour.items.length === 1);
  expect(early.items[0]).toEqual({ type: 'gap', seq: 3, at: expect.any(Date) as Date, missed: 2 });
  expect(seqs(early.items)).toEqual([3, 4, 5]);
  expect(exact.items.map((item) => item.type)).toEqual(['event', 'event']);
  expect(neighbour.items.map((item) => item.type)).toEqual(['event']);
  expect(await append(topic, 'a', 6)).toBe(6);
  await waitFor('the next event', () => early.items.length === 4);
});

/** Resolves when a connection of this database waits for another's lock. */
const somebodyWaits = (): Promise<unknown> =>
  waitFor('somebody to wait for a lock', async () => {
    const rows = await platform.database.prisma.$queryRaw<unknown[]>`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.length > 0;
  });

test('pruning and a transaction that appends to several topics never lock each other out, in whatever order', async () => {
  const topics = [notes(newId('med')), notes(newId('med'))] as const;
  for (const [first, second] of [topics, [topics[1], topics[0]] as const]) {
    for (const topic of topics) await append(topic, 'a', 1);
    await platform.database.prisma.$executeRaw`update platform.event set at = now() - interval '1 day'`;
    let pruning: Promise<number> | undefined;
    await platform.database.prisma.$transaction(async (tx) => {
      await platform.events.append(tx, first, { from: 'a', n: 2 });
      pruning = platform.events.prune(3_600_000);
      pruning.catch(() => undefined);
      await somebodyWaits();
      await platform.events.append(tx, second, { from: 'a', n: 2 });
    });
    expect(await pruning).toBe(topics.length + (first === topics[0] ? 0 : 2));
  }
});

test('prunes a long topic completely, as one gap', async () => {
  const [long, short] = [notes(newId('med')), notes(newId('med'))];
  await platform.database.prisma.$executeRaw`
    select platform.append_event(${long.name}, jsonb_build_object('from', 'a', 'n', n)) from generate_series(1, 1201) n`;
  await append(short, 'a', 1);
  await platform.database.prisma.$executeRaw`update platform.event set at = now() - interval '1 day'`;
  await append(long, 'a', 1202);
  expect(await platform.events.prune(3_600_000)).toBe(1202);
  const { items } = follow(long);
  await waitFor('the gap and the event', () => items.length === 2);
  expect(items).toMatchObject([
    { type: 'gap', seq: 1201, missed: 1201 },
    { type: 'event', seq: 1202 },
  ]);
});

test('what the slowest durable consumer has not taken is not pruned, however old', async () => {
  const [followed, free] = [notes(newId('med')), notes(newId('med'))];
  for (let n = 1; n <= 5; n++) await append(followed, 'a', n);
  await append(free, 'a', 1);
  await platform.database.prisma.$executeRaw`update platform.event set at = now() - interval '1 day'`;
  const at = (consumer: string, seq: number) =>
    platform.database.prisma.eventConsumer.create({ data: { consumer, topic: followed.name, seq } });
  await at('fast', 4);
  await at('slow', 2);
  expect(await platform.events.prune(3_600_000)).toBe(3);

  const taken: number[] = [];
  const options = { topic: followed, signal: readers.signal };
  const running = platform.events.consume({
    ...options,
    consumer: 'slow',
    handle: async (_tx, { seq }) => void taken.push(seq),
  });
  await waitFor('the rest to be taken', () => taken.length === 3);
  expect(taken).toEqual([3, 4, 5]);
  readers.abort();
  await running;
  expect(await platform.events.prune(3_600_000)).toBe(2);
});

test('a topic of which everything was pruned keeps counting', async () => {
  const topic = notes(newId('med'));
  for (let n = 1; n <= 3; n++) await append(topic, 'a', n);
  await platform.database.prisma.$executeRaw`update platform.event set at = now() - interval '1 day'`;
  await platform.events.prune(1_000);
  const { items } = follow(topic);
  await waitFor('the gap', () => items.length === 1);
  expect(await append(topic, 'a', 4)).toBe(4);
  await waitFor('the event behind it', () => items.length === 2);
  expect(items.map((item) => `${item.type} ${item.seq}`)).toEqual(['gap 3', 'event 4']);
});

test('a reader ends when its signal aborts, waiting or not, and when it is returned', async () => {
  const topic = notes(newId('med'));
  const quiet = follow(topic);
  await append(topic, 'a', 1);
  await waitFor('the event', () => quiet.items.length === 1);
  readers.abort();
  await quiet.ended;
  const never = platform.events.read(topic, { after: 0, signal: readers.signal });
  expect(await never.next()).toEqual({ done: true, value: undefined });
  const left = platform.events.read(topic, { after: 0, signal: new AbortController().signal });
  await left.next();
  expect(await left.return()).toEqual({ done: true, value: undefined });
});

describe('a durable consumer', () => {
  interface Taken {
    seq: number;
  }
  const takeInto = (topic: Topic, handle?: (seq: number) => void) =>
    platform.events.consume({
      consumer: 'test',
      topic,
      signal: readers.signal,
      handle: async (tx, { seq }) => {
        await tx.$executeRaw`insert into taken values (${seq})`;
        handle?.(seq);
      },
    });
  const taken = async (): Promise<number[]> => {
    const rows = await platform.database.prisma.$queryRaw<Taken[]>`select seq from taken order by n`;
    return rows.map(({ seq }) => seq);
  };

  beforeEach(() => platform.database.prisma.$executeRaw`create table taken (seq int, n serial)`);

  test('hands over each event exactly once although its handler fails in the middle', async () => {
    const topic = notes(newId('med'));
    const failed = new Set<number>();
    const running = takeInto(topic, (seq) => {
      if (seq % 2 === 1 || failed.has(seq)) return;
      failed.add(seq);
      throw new Error('after the write');
    });
    for (let n = 1; n <= 3; n++) await append(topic, 'a', n);
    await waitFor('all to be taken', async () => (await taken()).length === 3);
    expect(failed).toEqual(new Set([2]));
    expect(await taken()).toEqual([1, 2, 3]);
    readers.abort();
    await running;
  });

  test('goes on where it stopped, and two of one name take each event once between them', async () => {
    const topic = notes(newId('med'));
    for (let n = 1; n <= 3; n++) await append(topic, 'a', n);
    const first = takeInto(topic);
    await waitFor('the first three', async () => (await taken()).length === 3);
    readers.abort();
    await first;
    readers = new AbortController();
    for (let n = 4; n <= 30; n++) await append(topic, 'a', n);
    const two = [takeInto(topic), takeInto(topic)];
    for (let n = 31; n <= 60; n++) await append(topic, 'a', n);
    await waitFor('all to be taken', async () => (await taken()).length >= 60);
    expect(await taken()).toEqual(upTo(60));
    readers.abort();
    await Promise.all(two);
  });

  test('survives connections that are cut', async () => {
    const topic = notes(newId('med'));
    const running = takeInto(topic);
    for (let n = 1; n <= 20; n++) {
      await append(topic, 'a', n);
      if (n % 5 === 0) await cutConnections('sauti:listen');
    }
    await waitFor('all to be taken', async () => (await taken()).length === 20);
    expect(await taken()).toEqual(upTo(20));
    readers.abort();
    await running;
  });
});

test('a cursor belongs to one topic, and nothing else is one', () => {
  const topic = notes('a');
  expect(decodeCursor(topic, encodeCursor(topic, 17))).toBe(17);
  expect(decodeCursor(notes('b'), encodeCursor(topic, 17))).toBeNull();
  expect(decodeCursor(topic, encodePartialCursor(topic, 17, 3))).toBe('present');
  expect(decodeCursor(notes('b'), encodePartialCursor(topic, 17, 3))).toBeNull();
  for (const text of [
    '',
    '17',
    'MTc',
    encodeCursor(topic, 17).slice(1),
    `${encodeCursor(topic, 17)}x`,
    Buffer.from('-1.00000000').toString('base64url'),
  ]) {
    expect(decodeCursor(topic, text)).toBeNull();
  }
});
