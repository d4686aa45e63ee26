import type { PlatformTransaction } from '../database/database';
import type { Topic } from './topic';

/** Removes topics with all their events, in the caller's transaction, for good: of things that are deleted themselves. */
export async function removeTopics(tx: PlatformTransaction, topics: readonly Topic<unknown>[]): Promise<void> {
  const names = topics.map(({ name }) => name);
  // Who appends holds this lock to the end of its transaction, so no event can come in between.
  await tx.$queryRaw`select 1 from platform.event_topic where topic = any(${names}) order by topic for update`;
  await tx.$executeRaw`delete from platform.event where topic = any(${names})`;
  await tx.$executeRaw`delete from platform.event_topic where topic = any(${names})`;
}
