import type { Database } from '../database/database';

/** Events deleted in one transaction: writers of the topic wait for it, and a statement may take 15 s. */
const BATCH = 500;

/**
 * Deletes what is older than `before`, except what a durable consumer of the topic has still to take. A transaction
 * locks one topic only, because whoever appends to several holds their locks until it commits: two topics locked in
 * another order than theirs would be a deadlock.
 */
export async function pruneEvents(database: Database, before: Date): Promise<number> {
  const exhausted: string[] = [];
  for (let total = 0; ;) {
    const [oldest] = await database.prisma.$queryRaw<{ topic: string }[]>`
      select topic from platform.event where at < ${before} and topic <> all(${exhausted}) order by at limit 1`;
    if (!oldest) return total;
    const removed = await pruneBatch(database, oldest.topic, before);
    // What is left of this topic waits for a consumer.
    if (removed === 0) exhausted.push(oldest.topic);
    total += removed;
  }
}

/** Deletes from the beginning of the topic, so that nothing in front of its floor is left. Answers how many. */
async function pruneBatch(database: Database, topic: string, before: Date): Promise<number> {
  return database.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`select 1 from platform.event_topic where topic = ${topic} for no key update`;
    const [{ upTo }] = await tx.$queryRaw<[{ upTo: bigint | null }]>`
      select max(seq) as "upTo" from (
        select seq, bool_and(at < ${before}) over (order by seq) as is_old from platform.event
         where topic = ${topic}
           and seq <= all(select seq from platform.event_consumer where topic = ${topic})
         order by seq limit ${BATCH}) oldest
       where is_old`;
    if (upTo === null) return 0;
    await tx.$executeRaw`update platform.event_topic set floor = greatest(floor, ${upTo}) where topic = ${topic}`;
    return tx.$executeRaw`delete from platform.event where topic = ${topic} and seq <= ${upTo}`;
  });
}
