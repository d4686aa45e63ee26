import { decodeCursor, encodeCursor } from '../../platform/events/topic';
import type { Reader } from './reader';
import type { Store } from './store';
import { judge, lostRanges, positionsOf, sum, type Verdict } from './verdict';

export interface Judgement {
  verdict: Verdict;
  /** Segments that are not those of their cursors. */
  wrongEvents: number;
  /** What the flawed readers lost, and what had happened to them. */
  flaws: string[];
}

/** What all these readers got, compared with what is in the log. */
export async function judgeAll(store: Store, readers: readonly Reader[]): Promise<Judgement> {
  const each = await Promise.all(readers.map(async (reader) => judgeOne(reader, await committedFor(store, reader))));
  return {
    verdict: sum(each.map(({ verdict }) => verdict)),
    wrongEvents: each.reduce((count, { wrongEvents }) => count + wrongEvents, 0),
    flaws: each.flatMap(({ flaws }) => flaws),
  };
}

function judgeOne(reader: Reader, committed: readonly string[]): Judgement {
  const verdict = judge(committed, reader.cursors);
  const isWrong = (position: number | undefined, index: number): boolean => {
    const startMs = reader.startsMs[index];
    return position !== undefined && startMs !== undefined && startMs !== position * 1_000;
  };
  const wrongEvents = positionsOf(committed, reader.cursors).filter(isWrong).length;
  const isFlawed = wrongEvents > 0 || Object.values(verdict).some((count) => count > 0);
  return {
    verdict,
    wrongEvents,
    flaws: isFlawed ? [flawOf(reader, committed, verdict)] : [],
  };
}

function flawOf({ options, cursors, history }: Reader, committed: readonly string[], verdict: Verdict): string {
  const lost = lostRanges(committed, cursors);
  return `${options.followed.topic} ${JSON.stringify(verdict)} lost ${lost || 'nothing'}; ${history.join('; ')}`;
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
