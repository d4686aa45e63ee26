import type { Database, PlatformTransaction } from '../database/database';
import type { Topic } from './topic';

export interface ConsumeOptions<Payload> {
  /** Its position is stored under this name; consumers of one name share the events between them. */
  consumer: string;
  topic: Topic<Payload>;
  signal: AbortSignal;
  handle: (tx: PlatformTransaction, event: { seq: number; at: Date; payload: Payload }) => Promise<void>;
}

/**
 * Hands the event behind the consumer's stored position to its handler and moves the position, in one transaction.
 * Answers the position it started from, and whether there was an event.
 */
export async function consumeNext<Payload>(
  database: Database,
  { consumer, topic, handle }: ConsumeOptions<Payload>,
): Promise<{ position: number; handled: boolean }> {
  return database.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`insert into platform.event_consumer (consumer, topic) values (${consumer}, ${topic.name}) on conflict do nothing`;
    const [stored] = await tx.$queryRaw<{ seq: bigint }[]>`
      select seq from platform.event_consumer where consumer = ${consumer} and topic = ${topic.name} for update`;
    const position = Number(stored!.seq);
    const [event] = await tx.$queryRaw<{ seq: bigint; at: Date; payload: Payload }[]>`
      select seq, at, payload from platform.event where topic = ${topic.name} and seq > ${position} order by seq limit 1`;
    if (!event) return { position, handled: false };
    // Committed together with the handler's writes, whichever order they are made in.
    await tx.$executeRaw`update platform.event_consumer set seq = ${event.seq} where consumer = ${consumer} and topic = ${topic.name}`;
    await handle(tx, { seq: Number(event.seq), at: event.at, payload: event.payload });
    return { position, handled: true };
  });
}
