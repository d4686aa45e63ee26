import { accountGone } from '../profile/account-gone';
import { lockUser, type UserRow, type UsersTransaction } from '../records';

/** The viewer's account, locked until the transaction ends. UNAUTHENTICATED when it is gone since the token was issued. */
export async function lockedAccount(tx: UsersTransaction, userId: string): Promise<UserRow> {
  return (await lockUser(tx, userId)) ?? accountGone();
}
