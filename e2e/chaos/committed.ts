import { decodeCursor, encodeCursor } from '../../platform/events/topic';
import type { Reader } from './reader';
import type { Store } from './store';
import { judge, sum, type Verdict } from './verdict';

/** What all these readers got, compared with what is in the log. */
export async function judgeAll(store: Store, readers: readonly Reader[]): Promise<Verdict> {
  return sum(
    await Promise.all(readers.map(async (reader) => judge(await committedFor(store, reader), reader.cursors))),
  );
}

/** The cursors of all events behind a reader's start, as they are in the log. */
export async function committedFor(store: Store, { options: { followed } }: Reader): Promise<string[]> {
  const topic = { name: followed.topic };
  const start = followed.start === undefined ? 0 : decodeCursor(topic, followed.start)!;
  const rows = await store.query<{ seq: string }>(
    'select seq from platform.event where topic = $1 and seq > $2 order by seq',
    [followed.topic, start],
  );
  return rows.map(({ seq }) => encodeCursor(topic, Number(seq)));
}
