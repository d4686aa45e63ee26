import type { SessionChange } from '../../../platform/identity/session-change';
import type { CallIdentity } from '../../../platform/identity/viewer';
import type { SignedIn } from './sessions';

/** What a payload of signing in shows of tokens. */
interface TokensInPayload {
  session: SignedIn['session'] | null;
  tokens: SignedIn['tokens'] | null;
  deviceToken: string | null;
}

/**
 * The session of a client in cookie mode, within one request: what its cookies hold, and what happened to it. Tokens go to
 * the gateway, which makes cookies of them, and are not in the answer, where a script could read them.
 */
export class CookieSession {
  /** What the gateway is to make of the cookies; undefined: nothing happened. Of several the last. */
  change: SessionChange | undefined;
  readonly refreshToken: string | null;

  constructor({ refreshToken }: { refreshToken: string | null }) {
    this.refreshToken = refreshToken;
  }

  /** Takes the tokens out of a payload. */
  take<Payload extends TokensInPayload>(payload: Payload): Payload {
    const { tokens, session, deviceToken } = payload;
    if (!tokens || !session) return payload;
    const { accessToken, refreshToken, expiresAt } = tokens;
    this.change = {
      accessToken,
      refreshToken,
      expiresAt: expiresAt.toISOString(),
      sessionExpiresAt: session.expiresAt.toISOString(),
      ...(deviceToken === null ? {} : { deviceToken }),
    };
    return { ...payload, tokens: null, deviceToken: null };
  }

  /** Its cookies are worth nothing any more. */
  end(): void {
    this.change = 'ended';
  }
}

/** Null for a client that keeps its tokens itself. */
export function cookieSessionOf({ client }: CallIdentity): CookieSession | null {
  return client?.cookies ? new CookieSession(client.cookies) : null;
}
