import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { isId, newId } from '../../../platform/ids';
import { signAccessToken } from '../../../platform/identity/access-token';
import { scopesOf } from '../../../platform/identity/scopes';
import type { CallIdentity, ClientFacts, Viewer } from '../../../platform/identity/viewer';
import { isSuspended } from '../accounts/sign-in';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { announceAccess, type AccessChange } from '../events';
import type { SigningKeys } from '../keys/signing-keys';
import { hashOfToken } from '../one-time-tokens';
import type { RefreshTokenRow, SessionRow, UserRecords, UserRow, UsersTransaction, WhichSessions } from '../records';

/** Ten minutes: how long a stolen access token is worth anything. */
const ACCESS_TOKEN_MS = 10 * 60_000;
/** Sliding: every refresh starts the 30 days anew. */
const SESSION_MS = 30 * 24 * 3_600_000;
/** A refresh token may be used again this long after its first use, by calls that race. */
const REUSE_GRACE_MS = 10_000;

/** How a session was proven, and from where. */
export interface SessionStart {
  assurance: SessionRow['assurance'];
  deviceName: string | null;
  client: ClientFacts | undefined;
}

export interface SignedIn {
  viewer: UserRow;
  session: SessionRow;
  tokens: { accessToken: string; expiresAt: Date; refreshToken: string; session: SessionRow };
  accessExpiresAt: Date;
}

/** Sessions and the tokens that prove them. A refresh token is a link in a chain; each works once. */
export class Sessions {
  private readonly chainKey: Buffer;

  constructor(
    private readonly records: UserRecords,
    private readonly keys: SigningKeys,
    private readonly events: EventLog,
    secret: string,
    private readonly clock: () => Date,
  ) {
    this.chainKey = Buffer.from(hkdfSync('sha256', secret, 'sauti', 'refresh-chain', 32));
  }

  /** Opens a session in the caller's transaction. */
  async open(tx: UsersTransaction, user: UserRow, start: SessionStart): Promise<SignedIn> {
    const now = this.clock();
    const session = await this.records.insertSession(tx, {
      id: newId('ses'),
      userId: user.id,
      deviceName: start.deviceName,
      assurance: start.assurance,
      userAgent: start.client?.userAgent ?? null,
      ipAddress: start.client?.ipAddress ?? null,
      createdAt: now,
      lastSeenAt: now,
      authenticatedAt: now,
      expiresAt: new Date(now.getTime() + SESSION_MS),
    });
    const refreshToken = randomBytes(32).toString('base64url');
    await this.records.insertRefreshToken(tx, {
      tokenHash: hashOfToken(refreshToken),
      sessionId: session.id,
      position: 0,
    });
    return this.signedIn(user, session, refreshToken, now);
  }

  /** The account's sessions that have neither ended nor expired, newest first, below `beforeId`. */
  live(userId: string, take: number, beforeId: string | null): Promise<SessionRow[]> {
    return this.records.liveSessions(userId, this.clock(), take, beforeId);
  }

  /**
   * Exchanges a refresh token (RFC 9700 §4.14.2). The successor of a token is computed from it, so calls that race, or
   * that repeat because an answer was lost, get the same successor without it being stored anywhere in the clear. Throws
   * TOKEN_EXPIRED, and TOKEN_REUSED for a token that was used before, whose session ends with that.
   */
  async refresh(refreshToken: string, identity: CallIdentity): Promise<SignedIn> {
    const outcome = await this.records.transaction((tx) => this.exchange(tx, refreshToken, identity));
    // Thrown outside the transaction: ending the session must stay.
    if (outcome === 'expired')
      throw refused('TOKEN_EXPIRED', 'This refresh token is unknown, or its session has ended. Sign in again.');
    if (outcome === 'reused')
      throw refused(
        'TOKEN_REUSED',
        'This refresh token had been used before, so its session was ended. Sign in again.',
      );
    return this.signedIn(outcome.user, outcome.session, outcome.next, outcome.now);
  }

  /** Ends the viewer's own sessions; NOT_FOUND for a session that is unknown, over, or somebody else's. */
  async end(
    viewer: Viewer,
    which: { sessionId?: string | null | undefined; allOthers?: boolean | null | undefined },
    identity: CallIdentity,
  ): Promise<number> {
    const id = which.sessionId ?? viewer.sessionId;
    if (!which.allOthers && !isId('ses', id)) return noneEnded(which.sessionId);
    const ended = await this.records.transaction(async (tx) => {
      const chosen = which.allOthers ? { not: viewer.sessionId } : { equals: id };
      const changes = await this.endOf(tx, viewer.userId, chosen, identity);
      await announceAccess(tx, this.events, changes);
      return changes.length;
    });
    return ended === 0 && !which.allOthers ? noneEnded(which.sessionId) : ended;
  }

  /**
   * Ends sessions of an account in the caller's transaction, and answers what is to be announced as its last statement
   * (`announceAccess`): with that the access tokens are void, and open connections end.
   */
  async endOf(
    tx: UsersTransaction,
    userId: string,
    which: WhichSessions,
    identity: CallIdentity,
  ): Promise<AccessChange[]> {
    const ended = await this.records.endSessions(tx, userId, which, this.clock());
    // Who resets a password is not signed in, and is the account's owner for all we know.
    const actorId = identity.viewer?.userId ?? userId;
    for (const id of ended) await recordAudit(tx, identity, { action: 'session.ended', actorId, subjectId: id });
    return ended.map((sessionId) => ({ kind: 'ended', sessionId }));
  }

  private async exchange(
    tx: UsersTransaction,
    refreshToken: string,
    identity: CallIdentity,
  ): Promise<'expired' | 'reused' | { user: UserRow; session: SessionRow; next: string; now: Date }> {
    const link = await this.records.lockRefreshToken(tx, hashOfToken(refreshToken));
    // The rights are those of now: a change of them is later than the token, or waited for.
    const now = this.clock();
    if (!link || link.session.endedAt || link.session.expiresAt <= now) return 'expired';
    const { user } = link.session;
    if (isSuspended(user, now)) return 'expired';
    const next = link.usedAt
      ? await this.repeated(tx, refreshToken, link.usedAt, now)
      : await this.rotated(tx, refreshToken, link, now);
    if (next === null) {
      await this.endReused(tx, link, user, identity);
      return 'reused';
    }
    const { client } = identity;
    const session = await this.records.renewSession(tx, link.sessionId, {
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + SESSION_MS),
      ...(client ? { userAgent: client.userAgent, ipAddress: client.ipAddress } : {}),
    });
    return { user, session, next, now };
  }

  private async rotated(tx: UsersTransaction, token: string, link: RefreshTokenRow, now: Date): Promise<string> {
    const next = this.successorOf(token);
    await this.records.useRefreshToken(tx, link.tokenHash, now);
    const { sessionId, position } = link;
    await this.records.insertRefreshToken(tx, { tokenHash: hashOfToken(next), sessionId, position: position + 1 });
    return next;
  }

  /**
   * What a token that was used before is exchanged for; null when that is theft for all we know. Two reasons are honest:
   * its answer was lost, so nobody has used its successor, however long ago that was; or the calls of one client raced, and
   * then its successor may have been used already, too: what counts is the newest of the chain.
   */
  private async repeated(tx: UsersTransaction, token: string, usedAt: Date, now: Date): Promise<string | null> {
    // Whether the clock has gone on or back since then.
    const isRace = Math.abs(now.getTime() - usedAt.getTime()) <= REUSE_GRACE_MS;
    let next = this.successorOf(token);
    let row = await this.records.refreshToken(tx, hashOfToken(next));
    while (isRace && row?.usedAt) {
      next = this.successorOf(next);
      row = await this.records.refreshToken(tx, hashOfToken(next));
    }
    return row && !row.usedAt ? next : null;
  }

  private async endReused(
    tx: UsersTransaction,
    { sessionId, position }: RefreshTokenRow,
    user: UserRow,
    identity: CallIdentity,
  ): Promise<void> {
    await this.records.endSessions(tx, user.id, { equals: sessionId }, this.clock());
    await recordAudit(tx, identity, {
      action: 'session.tokenReused',
      actorId: null, // whoever it was
      subjectId: sessionId,
      metadata: { userId: user.id, position },
    });
    await announceAccess(tx, this.events, [{ kind: 'ended', sessionId }]);
  }

  private async signedIn(user: UserRow, session: SessionRow, refreshToken: string, now: Date): Promise<SignedIn> {
    const { token, expiresAt } = signAccessToken(
      { userId: user.id, sessionId: session.id, scopes: scopesOf(user.roles) },
      await this.keys.current(),
      ACCESS_TOKEN_MS,
      now,
    );
    return {
      viewer: user,
      session,
      tokens: { accessToken: token, expiresAt, refreshToken, session },
      accessExpiresAt: expiresAt,
    };
  }

  private successorOf(refreshToken: string): string {
    return createHmac('sha256', this.chainKey).update(refreshToken).digest('base64url');
  }
}

/** Somebody who names a session hears that there is none; whose own session is over has what they want. */
function noneEnded(named: string | null | undefined): number {
  if (!named) return 0;
  throw new UserProblemError<UsersProblemCode>({
    code: 'NOT_FOUND',
    message: 'You have no live session with this ID.',
    path: ['input', 'sessionId'],
  });
}

function refused(code: UsersProblemCode, message: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', 'refreshToken'] });
}
