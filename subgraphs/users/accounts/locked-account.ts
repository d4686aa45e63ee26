import { SautiError } from '../../../platform/errors';
import { lockUser, type UserRow, type UsersTransaction } from '../records';

/** The viewer's account, locked until the transaction ends. UNAUTHENTICATED when it is gone since the token was issued. */
export async function lockedAccount(tx: UsersTransaction, userId: string): Promise<UserRow> {
  const user = await lockUser(tx, userId);
  if (user) return user;
  throw new SautiError('UNAUTHENTICATED', 'This account does not exist any more.');
}
