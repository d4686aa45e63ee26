import type { Database, PlatformTransaction } from '../database/database';
import type { Notifications } from '../database/notifications';
import { SautiError } from '../errors';
import type { Logger } from '../logger';
import { pause } from '../pause';
import { consumeNext, type ConsumeOptions } from './consumer';
import { Flag } from './flag';
import { Permit } from './permit';
import { pruneEvents } from './prune';
import type { Topic } from './topic';

/** One event, or the notice that events were pruned before the reader came: `seq` is where reading goes on. */
export type LogItem<Payload> =
  { type: 'event'; seq: number; at: Date; payload: Payload } | { type: 'gap'; seq: number; at: Date; missed: number };

const PAGE = 200;
const ALWAYS = new Permit(undefined);
/** Notifications are hints and may be lost; every watched topic is asked for anyway after this time, in one query. */
const POLL_MS = 2_000;
const RETRY_MS = 1_000;
/** How often a reader that waits is asked about. What it may not read any more has to end within 5 s. */
const QUIET_CHECK_MS = 3_000;

interface Watch {
  topic: string;
  seen: number;
  wake: () => void;
}

/**
 * The event log: per topic a dense sequence, appended in the transaction that changes the state.
 * A reader that continues with the last `seq` it saw gets every later event exactly once and in order.
 */
export class EventLog {
  private readonly watches = new Map<string, Set<Watch>>();
  private readonly poll: NodeJS.Timeout;
  private readonly unlisten: () => void;

  constructor(
    private readonly database: Database,
    notifications: Notifications,
    private readonly logger: Logger,
  ) {
    this.unlisten = notifications.on('sauti_event', (topic) => this.wake(topic));
    this.poll = setInterval(() => void this.pollWatched(), POLL_MS);
    this.poll.unref();
  }

  /**
   * Appends an event and answers its sequence number. Must be the last statement of the transaction that makes it true:
   * all other writers of the topic wait until that transaction ends.
   */
  async append<Payload>(tx: PlatformTransaction, topic: Topic<Payload>, payload: Payload): Promise<number> {
    const json = JSON.stringify(payload);
    const rows = await tx.$queryRaw<
      { seq: bigint }[]
    >`select platform.append_event(${topic.name}, ${json}::jsonb) as seq`;
    return Number(rows[0]!.seq);
  }

  /** Appends several events at once, in this order; see {@link append}. */
  async appendAll<Payload>(
    tx: PlatformTransaction,
    topic: Topic<Payload>,
    payloads: readonly Payload[],
  ): Promise<void> {
    const json = JSON.stringify(payloads);
    await tx.$queryRaw`
      select platform.append_event(${topic.name}, payload)
        from (select payload from jsonb_array_elements(${json}::jsonb) with ordinality as e(payload, place) order by place) ordered`;
  }

  /**
   * The sequence number of the topic's newest event; 0 for a topic without events. Read in a REPEATABLE READ transaction
   * (`tx`) it is exact: the transaction sees the state that these events have led to, no older and no newer one.
   */
  async head(
    topic: Topic<unknown>,
    tx: Pick<PlatformTransaction, '$queryRaw'> = this.database.prisma,
  ): Promise<number> {
    return (await this.heads([topic], tx))[0]!;
  }

  /** {@link head} of several topics, in their order. */
  async heads(
    topics: readonly Topic<unknown>[],
    tx: Pick<PlatformTransaction, '$queryRaw'> = this.database.prisma,
  ): Promise<number[]> {
    const names = topics.map(({ name }) => name);
    const rows = await tx.$queryRaw<{ topic: string; seq: bigint }[]>`
      select topic, seq from platform.event_topic where topic = any(${names})`;
    const heads = new Map(rows.map(({ topic, seq }) => [topic, Number(seq)]));
    return names.map((name) => heads.get(name) ?? 0);
  }

  /** The position behind the events that are older than `ageMs`: who reads on from there gets the younger ones. */
  async positionAgo(topic: Topic<unknown>, ageMs: number): Promise<number> {
    const [row] = await this.database.prisma.$queryRaw<{ seq: bigint }[]>`
      select seq from platform.event
       where topic = ${topic.name} and at < clock_timestamp() - make_interval(secs => ${ageMs / 1_000}::double precision)
       order by seq desc limit 1`;
    return Number(row?.seq ?? 0);
  }

  /**
   * Events with `seq > after`, first those already written, then each as it is committed, until the signal aborts or the
   * generator is returned. A database that goes away is waited for, not reported: the log goes on where it stopped.
   *
   * The permit is asked whenever events have been read and before the first of them is given, again when the reader takes
   * more than a second for them, and every 3 s in the quiet. So no event is given that was written when the permit had
   * been withdrawn, and the reading ends within 3 s, with the `SautiError` that the permit throws.
   */
  async *read<Payload>(
    topic: Topic<Payload>,
    options: { after: number; signal: AbortSignal; permit?: Permit },
  ): AsyncGenerator<LogItem<Payload>, void, void> {
    const { signal, permit = ALWAYS } = options;
    let last = options.after;
    const dirty = new Flag();
    // Watch before the first read, so an event committed in between wakes the loop instead of being missed.
    const watch: Watch = { topic: topic.name, seen: last, wake: () => dirty.raise() };
    this.addWatch(watch);
    const untilAnswered = <Result>(work: () => Promise<Result>) => this.untilAnswered(topic, work, signal);
    try {
      while (!signal.aborted) {
        dirty.lower();
        const page = (await untilAnswered(() => this.readPage<Payload>(topic, last))) ?? [];
        if (page.length > 0) await untilAnswered(() => permit.ask());
        for (const item of page) {
          await untilAnswered(() => permit.askWhenOld());
          if (signal.aborted) return;
          watch.seen = last = item.seq;
          yield item;
        }
        if (page.length >= PAGE) continue; // the notice of a gap may stand before them
        while (!(await dirty.raised(signal, permit.isNeeded ? QUIET_CHECK_MS : null)))
          await untilAnswered(() => permit.ask());
      }
    } finally {
      this.removeWatch(watch);
    }
  }

  /**
   * Hands every event of a topic to `handle` exactly once, across restarts and processes: the position is stored in the
   * transaction that holds the handler's own writes. Runs until the signal aborts; a handler that throws is tried again.
   */
  async consume<Payload>(options: ConsumeOptions<Payload>): Promise<void> {
    const { consumer, topic, signal } = options;
    const dirty = new Flag();
    const watch: Watch = { topic: topic.name, seen: 0, wake: () => dirty.raise() };
    this.addWatch(watch);
    try {
      while (!signal.aborted) {
        dirty.lower();
        try {
          while (!signal.aborted && (await this.takeNext(options, watch)));
        } catch (error) {
          this.logger.error({ error, consumer, topic: topic.name }, 'an event consumer failed; trying again');
          await pause(RETRY_MS, signal);
          continue;
        }
        await dirty.raised(signal);
      }
    } finally {
      this.removeWatch(watch);
    }
  }

  /**
   * Deletes events older than `maxAgeMs` and moves each topic's floor, so old cursors get a gap notice. Answers the count.
   * What a durable consumer has not taken yet stays: the rows of a consumer that is given up must be removed.
   */
  async prune(maxAgeMs: number): Promise<number> {
    return pruneEvents(this.database, new Date(Date.now() - maxAgeMs));
  }

  close(): void {
    clearInterval(this.poll);
    this.unlisten();
  }

  /** `watch.seen` becomes the stored position, which another process may have moved. */
  private async takeNext<Payload>(options: ConsumeOptions<Payload>, watch: Watch): Promise<boolean> {
    const { position, handled } = await consumeNext(this.database, options);
    watch.seen = position;
    return handled;
  }

  /** Repeats what fails because the database is away; answers undefined when the signal aborts meanwhile. */
  private async untilAnswered<Result>(
    topic: Topic<unknown>,
    work: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result | undefined> {
    while (!signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof SautiError) throw error;
        this.logger.warn({ error, topic: topic.name }, 'the event log cannot be read; trying again');
        await pause(RETRY_MS, signal);
      }
    }
    return undefined;
  }

  private async readPage<Payload>(topic: Topic<Payload>, after: number): Promise<LogItem<Payload>[]> {
    const rows = await this.database.prisma.$queryRaw<
      { floor: bigint; seq: bigint | null; at: Date | null; payload: Payload | null }[]
    >`
      select t.floor, e.seq, e.at, e.payload from platform.event_topic t
        left join lateral (select seq, at, payload from platform.event where topic = t.topic and seq > ${after} order by seq limit ${PAGE}) e on true
       where t.topic = ${topic.name}`;
    const items: LogItem<Payload>[] = [];
    const floor = Number(rows[0]?.floor ?? 0);
    if (floor > after) items.push({ type: 'gap', seq: floor, at: new Date(), missed: floor - after });
    for (const row of rows) {
      if (row.seq !== null && row.at && Number(row.seq) > floor)
        items.push({ type: 'event', seq: Number(row.seq), at: row.at, payload: row.payload as Payload });
    }
    return items;
  }

  private wake(topic: string | undefined): void {
    if (topic !== undefined) return this.watches.get(topic)?.forEach((watch) => watch.wake());
    for (const watches of this.watches.values()) watches.forEach((watch) => watch.wake());
  }

  private async pollWatched(): Promise<void> {
    const topics = [...this.watches.keys()];
    if (topics.length === 0) return;
    try {
      const rows = await this.database.prisma.$queryRaw<{ topic: string; seq: bigint }[]>`
        select topic, seq from platform.event_topic where topic = any(${topics})`;
      for (const row of rows) {
        this.watches.get(row.topic)?.forEach((watch) => {
          if (Number(row.seq) > watch.seen) watch.wake();
        });
      }
    } catch (error) {
      this.logger.warn({ error }, 'the event log cannot be polled');
    }
  }

  private addWatch(watch: Watch): void {
    const watches = this.watches.get(watch.topic) ?? new Set();
    this.watches.set(watch.topic, watches.add(watch));
  }

  private removeWatch(watch: Watch): void {
    const watches = this.watches.get(watch.topic);
    watches?.delete(watch);
    if (watches?.size === 0) this.watches.delete(watch.topic);
  }
}
