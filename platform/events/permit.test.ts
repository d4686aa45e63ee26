import { SautiError } from '../errors';
import { newId } from '../ids';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { waitFor } from '../testing/wait';
import type { LogItem } from './event-log';
import { Permit } from './permit';
import { topicFamily, type Topic } from './topic';

let test_: TestPlatform;
let topic: Topic<number>;
let readers: AbortController;
/** What the permit takes for now. */
let nowMs: number;
let answer: () => void;

beforeAll(async () => {
  test_ = await openTestPlatform();
});
beforeEach(() => {
  topic = topicFamily<number>('numbers')(newId('med'));
  readers = new AbortController();
  nowMs = 0;
  answer = () => {};
});
afterEach(() => readers.abort());
afterAll(() => test_[Symbol.asyncDispose]());

const append = (n: number): Promise<number> =>
  test_.platform.database.prisma.$transaction((tx) => test_.platform.events.append(tx, topic, n));
const refuse = (): never => {
  throw new SautiError('NOT_FOUND', 'It is gone.');
};
function read(): AsyncGenerator<LogItem<number>, void, void> {
  const permit = new Permit(
    async () => answer(),
    () => nowMs,
  );
  return test_.platform.events.read(topic, { after: 0, signal: readers.signal, permit });
}

test('an event that was written after the permit was withdrawn is not given', async () => {
  await append(1);
  const events = read();
  expect(await events.next()).toMatchObject({ value: { payload: 1 } });
  answer = refuse;
  await append(2);
  await expect(events.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('of events that were read together, none is given to a slow reader a second after the permit was withdrawn', async () => {
  for (const n of [1, 2, 3]) await append(n);
  const events = read();
  await events.next();
  answer = refuse;
  nowMs = 900;
  expect(await events.next()).toMatchObject({ value: { payload: 2 } });
  nowMs = 1_100;
  await expect(events.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a reader that waits learns within seconds that the permit was withdrawn', async () => {
  const waiting = read().next();
  answer = refuse;
  await expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a permit that cannot be asked because the database is away is asked again', async () => {
  let asked = 0;
  answer = () => {
    if (++asked === 1) throw new Error('Connection terminated');
  };
  await append(1);
  expect(await read().next()).toMatchObject({ value: { payload: 1 } });
  expect(asked).toBe(2);
});

test('a reader that leaves while the permit cannot be asked is let go', async () => {
  let asked = 0;
  answer = () => {
    asked++;
    throw new Error('Connection terminated');
  };
  await append(1);
  const waiting = read().next();
  await waitFor('the question', () => asked > 0);
  readers.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
});
