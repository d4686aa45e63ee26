import { newId } from '../../platform/ids';
import { scopesOf, type StoredRole } from '../../platform/identity/scopes';
import type { Viewer } from '../../platform/identity/viewer';
import type { Platform } from '../../platform/platform';
import { hashPassword } from './accounts/passwords';
import type { UserRow } from './records';

export const PASSWORD = 'correct horse battery staple';

export interface Account {
  user: UserRow;
  /** Signed in on one device. */
  viewer: Viewer;
}

let people = 0;
let passwordHash: Promise<string> | undefined;

/** An account with one session, as it is after signing up. */
export async function anAccount(
  { database: { prisma } }: Pick<Platform, 'database'>,
  { roles = [], ...changes }: { roles?: StoredRole[] } & Partial<UserRow> = {},
): Promise<Account> {
  const email = `person-${++people}@sauti.example`;
  passwordHash ??= hashPassword(PASSWORD);
  const user = await prisma.user.create({
    data: {
      ...{ id: newId('usr'), email, emailKey: email, passwordHash: await passwordHash, roles },
      ...{ displayName: `Person ${people}`, locale: 'en', timeZone: 'UTC' },
      ...(changes as object),
    },
  });
  const sessionId = newId('ses');
  await prisma.session.create({
    data: { id: sessionId, userId: user.id, expiresAt: new Date(Date.now() + 3_600_000), ipAddress: '192.0.2.7' },
  });
  return { user, viewer: { userId: user.id, sessionId, scopes: scopesOf(roles) } };
}
