import { randomUUID } from 'node:crypto';
import { newId } from '../../../platform/ids';
import { USER_SCOPES } from '../../../platform/identity/scopes';
import type { Viewer } from '../../../platform/identity/viewer';
import type { Platform } from '../../../platform/platform';
import type { UserRow } from '../records';

/** An account with a verified address and one live session, written as rows: no password is hashed for it. */
export async function anAccount(
  { database: { prisma } }: Pick<Platform, 'database'>,
  changes: Partial<Omit<UserRow, 'preferences'>> = {},
): Promise<{ user: UserRow; viewer: Viewer }> {
  const email = changes.email ?? `${randomUUID()}@sauti.example`;
  const user = await prisma.user.create({
    data: {
      id: newId('usr'),
      email,
      emailKey: email,
      emailVerifiedAt: new Date(),
      passwordHash: 'no hash of any password',
      displayName: 'Amina',
      locale: 'sw',
      timeZone: 'Africa/Nairobi',
      ...changes,
    },
  });
  const expiresAt = new Date(Date.now() + 3_600_000);
  const session = await prisma.session.create({ data: { id: newId('ses'), userId: user.id, expiresAt } });
  return { user, viewer: { userId: user.id, sessionId: session.id, scopes: [...USER_SCOPES] } };
}
