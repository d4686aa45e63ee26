import type { Platform } from '../../../platform/platform';
import { recordAudit } from '../audit/audit-log';
import { announceAccess, announceViewer } from '../events';
import { lockUser, UserRecords, USERS_MODELS, type UserRow } from '../records';
import { AdministrationRecords } from './administration-records';

/** How it ended; `unknown`: no account has this address. */
export type Appointment = { outcome: 'made' | 'already'; user: UserRow } | { outcome: 'unknown' };

/**
 * Makes the account with this address an administrator, for whoever runs the deployment: the first one has nobody in the
 * graph who could. Its tokens have to be renewed, which clients do by themselves.
 */
export async function makeAdministrator(
  { database, events }: Pick<Platform, 'database' | 'events'>,
  emailKey: string,
  now = new Date(),
): Promise<Appointment> {
  const slice = database.slice(USERS_MODELS);
  const records = new AdministrationRecords(slice);
  const known = await new UserRecords(slice).userByEmailKey(emailKey);
  if (!known) return { outcome: 'unknown' };
  return records.transaction(async (tx): Promise<Appointment> => {
    await records.lockAccess(tx);
    const user = await lockUser(tx, known.id);
    if (!user) return { outcome: 'unknown' };
    if (user.roles.includes('ADMIN')) return { outcome: 'already', user };
    const made = await tx.user.update({ where: { id: user.id }, data: { roles: [...user.roles, 'ADMIN'] } });
    await recordAudit(
      tx,
      { viewer: null, requestId: 'npm run admin' },
      { action: 'access.changed', subjectId: user.id, metadata: { roles: made.roles, rolesBefore: user.roles } },
    );
    await announceViewer(tx, events, user.id, 'ACCESS');
    await announceAccess(tx, events, [{ kind: 'changed', userId: user.id, at: now.toISOString() }]);
    return { outcome: 'made', user: made };
  });
}
