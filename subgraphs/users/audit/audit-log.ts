import { newId } from '../../../platform/ids';
import type { CallIdentity } from '../../../platform/identity/viewer';
import type { UsersTransaction } from '../records';

/** Every `action` of the audit log; docs/security.md explains them. */
export type AuditAction =
  | 'account.created'
  | 'account.deletionAsked'
  | 'account.deletionCanceled'
  | 'account.deleted'
  | 'account.exported'
  | 'access.changed'
  | 'apiKey.created'
  | 'apiKey.revoked'
  | 'credits.granted'
  | 'email.changeAsked'
  | 'email.changed'
  | 'email.verified'
  | 'identity.linked'
  | 'identity.unlinked'
  | 'mfa.added'
  | 'mfa.devicesForgotten'
  | 'mfa.removed'
  | 'mfa.recoveryCodeUsed'
  | 'mfa.recoveryCodesMade'
  | 'password.changed'
  | 'password.resetAsked'
  | 'password.reset'
  | 'session.started'
  | 'session.ended'
  | 'session.reauthenticated'
  | 'session.tokenReused'
  | 'signIn.failed'
  | 'signIn.blocked';

export interface AuditEntry {
  action: AuditAction;
  /** Who did it; default: the viewer of the call. */
  actorId?: string | null;
  /** What it was done to: an account, a session, a key. */
  subjectId: string | null;
  /** Never a secret, never an address of somebody who has no account. */
  metadata?: Record<string, string | number | boolean | null | string[]>;
}

/** Writes what happened, in the transaction in which it happens. */
export async function recordAudit(
  tx: UsersTransaction,
  { viewer, requestId, client }: CallIdentity,
  { action, actorId = viewer?.userId ?? null, subjectId, metadata = {} }: AuditEntry,
): Promise<void> {
  await tx.auditEvent.create({
    data: { id: newId('aud'), action, actorId, subjectId, ipAddress: client?.ipAddress ?? null, requestId, metadata },
  });
}
