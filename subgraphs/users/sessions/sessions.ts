import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { UserProblemError } from '../../../platform/errors';
import { isId, newId } from '../../../platform/ids';
import { signAccessToken } from '../../../platform/identity/access-token';
import { scopesOf } from '../../../platform/identity/scopes';
import type { ClientFacts, Viewer } from '../../../platform/identity/viewer';
import type { UsersProblemCode } from '../errors';
import type { SessionRow, UserRecords, UserRow, UsersTransaction } from '../records';
import type { SigningKeys } from '../keys/signing-keys';

/** Ten minutes: how long a stolen access token is worth anything. */
const ACCESS_TOKEN_MS = 10 * 60_000;
/** Sliding: every refresh starts the 30 days anew. */
const SESSION_MS = 30 * 24 * 3_600_000;
/** A refresh token may be used again this long after its first use; parallel tabs and lost answers need it. */
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
    secret: string,
    private readonly clock: () => Date,
  ) {
    this.chainKey = Buffer.from(hkdfSync('sha256', secret, 'sauti', 'refresh-chain', 32));
  }

  /** Opens a session in the caller's transaction. */
  async open(tx: UsersTransaction, user: UserRow, start: SessionStart): Promise<SignedIn> {
    const session = await this.records.insertSession(tx, {
      id: newId('ses'),
      userId: user.id,
      deviceName: start.deviceName,
      assurance: start.assurance,
      userAgent: start.client?.userAgent ?? null,
      ipAddress: start.client?.ipAddress ?? null,
      expiresAt: new Date(this.clock().getTime() + SESSION_MS),
    });
    const refreshToken = randomBytes(32).toString('base64url');
    await this.records.insertRefreshToken(tx, { tokenHash: hashOf(refreshToken), sessionId: session.id });
    return this.signedIn(user, session, refreshToken);
  }

  /**
   * Exchanges a refresh token (RFC 9700 §4.14.2). The successor of a token is computed from it, so calls that race, or
   * that repeat because an answer was lost, get the same successor without it being stored anywhere in the clear.
   */
  async refresh(refreshToken: string): Promise<SignedIn> {
    const outcome = await this.records.transaction(async (tx) => {
      const now = this.clock();
      const link = await this.records.lockRefreshToken(tx, hashOf(refreshToken));
      if (!link || link.session.endedAt || link.session.expiresAt <= now) return 'expired';
      if (link.usedAt && now.getTime() - link.usedAt.getTime() > REUSE_GRACE_MS) {
        await tx.session.update({ where: { id: link.sessionId }, data: { endedAt: now } });
        return 'reused';
      }
      const successor = this.successorOf(refreshToken);
      if (!link.usedAt) {
        await this.records.useRefreshToken(tx, link.tokenHash, now);
        await this.records.insertRefreshToken(tx, { tokenHash: hashOf(successor), sessionId: link.sessionId });
      }
      const session = await this.records.renewSession(tx, link.sessionId, {
        lastSeenAt: now,
        expiresAt: new Date(now.getTime() + SESSION_MS),
      });
      return { user: link.session.user, session, successor };
    });
    // Thrown outside the transaction: ending the session must stay.
    if (outcome === 'expired')
      throw refused('TOKEN_EXPIRED', 'This refresh token is unknown, or its session has ended. Sign in again.');
    if (outcome === 'reused')
      throw refused(
        'TOKEN_REUSED',
        'This refresh token had been used before, so its session was ended. Sign in again.',
      );
    return this.signedIn(outcome.user, outcome.session, outcome.successor);
  }

  /** Ends the viewer's own sessions; NOT_FOUND for a session that is unknown, over, or somebody else's. */
  async end(
    viewer: Viewer,
    which: { sessionId?: string | null | undefined; allOthers?: boolean | null | undefined },
  ): Promise<number> {
    if (which.allOthers) return this.records.endSessions(viewer.userId, { not: viewer.sessionId });
    const id = which.sessionId ?? viewer.sessionId;
    const ended = isId('ses', id) ? await this.records.endSessions(viewer.userId, { id }) : 0;
    if (ended === 0 && which.sessionId) {
      throw new UserProblemError<UsersProblemCode>({
        code: 'NOT_FOUND',
        message: 'You have no live session with this ID.',
        path: ['input', 'sessionId'],
      });
    }
    return ended;
  }

  /** Of these sessions those that have ended, expired, or never were; in the order given. */
  async endedAmong(ids: readonly string[]): Promise<string[]> {
    const possible = ids.filter((id) => isId('ses', id));
    const live = new Set(possible.length > 0 ? await this.records.liveSessionIds(possible, this.clock()) : []);
    return ids.filter((id) => !live.has(id));
  }

  private async signedIn(user: UserRow, session: SessionRow, refreshToken: string): Promise<SignedIn> {
    const { token, expiresAt } = signAccessToken(
      { userId: user.id, sessionId: session.id, scopes: scopesOf(user.roles) },
      await this.keys.current(),
      ACCESS_TOKEN_MS,
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

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function refused(code: UsersProblemCode, message: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', 'refreshToken'] });
}
