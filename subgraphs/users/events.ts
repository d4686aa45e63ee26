import type { EventLog } from '../../platform/events/event-log';
import type { Topic } from '../../platform/events/topic';
import { viewerTopic, type ViewerChangeReason } from '../../platform/identity/viewer-topic';
import type { PlatformTransaction } from '../../platform/database/database';
import type { AccessChange } from '../../platform/identity/access-change';

export type { AccessChange };

export { viewerTopic, type ViewerChangeReason };

/** All of them, of all accounts; every gateway follows it. */
export const accessTopic: Topic<AccessChange> = { name: 'access' };

/**
 * Tells the account's devices what changed. Call it at the end of the transaction: topics are locked until it commits,
 * always in the order jobs, viewer, access.
 */
export async function announceViewer(
  tx: PlatformTransaction,
  events: EventLog,
  userId: string,
  reason: ViewerChangeReason,
): Promise<void> {
  await events.append(tx, viewerTopic(userId), { reason });
}

/** Tells every gateway whose tokens are void from now on. The last statements of a transaction. */
export async function announceAccess(
  tx: PlatformTransaction,
  events: EventLog,
  changes: readonly AccessChange[],
): Promise<void> {
  for (const change of changes) await events.append(tx, accessTopic, change);
}
