import { SautiError } from '../../../platform/errors';
import type { UserRecords, UserRow, UsersTransaction } from '../records';

/** The viewer's account, locked until the transaction ends. UNAUTHENTICATED when it is gone since the token was issued. */
export async function lockedAccount(records: UserRecords, tx: UsersTransaction, userId: string): Promise<UserRow> {
  const user = await records.lockUser(tx, userId);
  if (user) return user;
  throw new SautiError('UNAUTHENTICATED', 'This account does not exist any more.');
}
