import { newId } from '../../platform/ids';
import { ADMIN_SCOPES, USER_SCOPES } from '../../platform/identity/scopes';
import type { Viewer } from '../../platform/identity/viewer';
import type { Platform } from '../../platform/platform';

/** Who asks. Nothing can be shared yet: whoever it would be shared with is one more account that sees nothing of it. */
export const IDENTITIES = ['owner', 'other', 'shared-with', 'anonymous', 'expired', 'administrator'] as const;
export type Identity = (typeof IDENTITIES)[number];

export interface Account {
  viewer: Viewer;
}

/** An account with one session, as signing up leaves it. */
export async function anAccount({ database: { prisma } }: Platform, name: string, role?: 'ADMIN'): Promise<Account> {
  const [userId, sessionId] = [newId('usr'), newId('ses')];
  const email = `${name}-${userId.slice(-8)}@sauti.example`;
  await prisma.user.create({
    data: {
      ...{ id: userId, email, emailKey: email, passwordHash: 'none', displayName: name, locale: 'en', timeZone: 'UTC' },
      ...(role ? { roles: [role] } : {}),
    },
  });
  await prisma.session.create({
    data: { id: sessionId, userId, deviceName: `${name}'s`, expiresAt: new Date(Date.now() + 3_600_000) },
  });
  const scopes = role ? [...USER_SCOPES, ...ADMIN_SCOPES] : [...USER_SCOPES];
  return { viewer: { userId, sessionId, scopes } };
}
