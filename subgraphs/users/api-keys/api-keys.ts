import type { EventLog } from '../../../platform/events/event-log';
import { hashOfApiKey, newApiKey } from '../../../platform/identity/api-key';
import { ADMIN_SCOPES, keyScopesOf, USER_SCOPES } from '../../../platform/identity/scopes';
import { requireViewer, type CallIdentity } from '../../../platform/identity/viewer';
import { isId, newId } from '../../../platform/ids';
import { announceAccess } from '../events';
import { lockedAccount } from '../accounts/locked-account';
import { checkedLabel, problem } from '../input';
import type { UserRecords, UserRow } from '../records';
import type { SecurityTrail } from '../security-trail';
import { requireFreshProof } from '../sessions/fresh-proof';
import type { ApiKeyRecords, ApiKeyRow } from './api-key-records';

/** Keys of one account that work at once. */
const MAX_KEYS = 50;
const ALL_SCOPES: readonly string[] = [...USER_SCOPES, ...ADMIN_SCOPES];

export interface NewKey {
  name: string;
  scopes: readonly string[];
  expiresAt?: Date | null | undefined;
}

/** Keys for programs: made, listed and revoked by the account's owner. */
export class ApiKeys {
  constructor(
    private readonly parts: {
      records: UserRecords;
      keyRecords: ApiKeyRecords;
      trail: SecurityTrail;
      events: EventLog;
      clock: () => Date;
    },
  ) {}

  /**
   * Makes a key; its text is answered here and never again. Needs a proof of the last hour. Throws INVALID_INPUT for a name,
   * a scope or an end that is none, FORBIDDEN for scopes that the account does not have or that no key may have, and
   * INVALID_STATE when the account has 50 keys.
   */
  async create(identity: CallIdentity, input: NewKey): Promise<{ key: string; apiKey: ApiKeyRow }> {
    const { records, keyRecords, clock } = this.parts;
    const viewer = requireViewer(identity.viewer);
    await requireFreshProof(records, viewer, clock());
    const name = checkedLabel(input.name, 'name');
    const scopes = knownScopes(input.scopes);
    const expiresAt = futureInstant(input.expiresAt ?? null, clock());
    const { key, prefix } = newApiKey();
    return records.transaction(async (tx) => {
      const user = await lockedAccount(tx, viewer.userId);
      checkAllowed(scopes, user);
      const now = clock();
      if ((await keyRecords.countWorkingKeys(tx, user.id, now)) >= MAX_KEYS)
        throw problem('INVALID_STATE', `An account has at most ${MAX_KEYS} keys. Revoke one first.`, 'name');
      const made = { id: newId('key'), userId: user.id, name, prefix, scopes, expiresAt, createdAt: now };
      const apiKey = await keyRecords.insertKey(tx, { ...made, keyHash: hashOfApiKey(key) });
      await this.parts.trail.leave(tx, identity, user, {
        audit: { action: 'apiKey.created', subjectId: apiKey.id, metadata: { scopes } },
        notice: {
          subject: 'An API key was made',
          text: `The API key ${prefix}… was made for your account.`,
        },
      });
      return { key, apiKey };
    });
  }

  /** Ends a key at once, on every gateway. NOT_FOUND for what is not a working key of the viewer. Needs no fresh proof: it opens nothing. */
  async revoke(identity: CallIdentity, id: string): Promise<{ user: UserRow }> {
    const { records, keyRecords, clock, events } = this.parts;
    const { userId } = requireViewer(identity.viewer);
    return records.transaction(async (tx) => {
      const user = await lockedAccount(tx, userId);
      const key = isId('key', id) ? await keyRecords.revokeKey(tx, userId, id, clock()) : null;
      if (!key) throw problem('NOT_FOUND', 'You have no key with this ID.', 'id');
      await this.parts.trail.leave(tx, identity, user, {
        audit: { action: 'apiKey.revoked', subjectId: id },
        notice: {
          subject: 'An API key was revoked',
          text: `The API key ${key.prefix}… of your account does not work any more.`,
        },
      });
      await announceAccess(tx, events, [{ kind: 'ended', sessionId: id }]);
      return { user };
    });
  }

  /** Those that work, newest first. */
  list(userId: string): Promise<ApiKeyRow[]> {
    return this.parts.keyRecords.workingKeys(userId, this.parts.clock());
  }
}

/** Without repetitions. */
function knownScopes(given: readonly string[]): string[] {
  const scopes = [...new Set(given)];
  const unknown = scopes.find((scope) => !ALL_SCOPES.includes(scope));
  if (unknown !== undefined)
    throw problem(
      'INVALID_INPUT',
      `"${unknown.slice(0, 40)}" is no scope. There are ${ALL_SCOPES.join(', ')}.`,
      'scopes',
    );
  if (scopes.length === 0) throw problem('INVALID_INPUT', 'A key has at least one scope; this one has 0.', 'scopes');
  return scopes;
}

function checkAllowed(scopes: readonly string[], user: UserRow): void {
  const allowed: readonly string[] = keyScopesOf(user.roles);
  const refused = scopes.find((scope) => !allowed.includes(scope));
  if (refused !== undefined)
    throw problem('FORBIDDEN', `A key of this account cannot have the scope ${refused}.`, 'scopes');
}

function futureInstant(expiresAt: Date | null, now: Date): Date | null {
  if (expiresAt === null || expiresAt > now) return expiresAt;
  throw problem('INVALID_INPUT', 'A key stops working in the future, or never; this instant is over.', 'expiresAt');
}
