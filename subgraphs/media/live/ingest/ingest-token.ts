import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** Time to connect with a token; milliseconds. It has to bridge one answer and one connection. */
export const INGEST_TOKEN_MS = 60_000;

export interface IngestToken {
  token: string;
  expiresAt: Date;
}

/**
 * The right to send audio into one session, as text: `<expires>.<number>.<signature>`. Nothing is kept of a token that is
 * made. Its number sorts by the moment of making, as text; a session remembers the greatest one used, so that no token is
 * good twice, and none that is older than the one the present writer came with. Where the clocks of processes differ, a token
 * of the slower one is refused for that long behind one of the faster one: clocks have to be set (NTP).
 */
export class IngestTokens {
  private readonly key: Buffer;
  private lastAt = 0;

  /** The key is derived from the deployment's secret (HKDF, RFC 5869), so every process knows the tokens of the others. */
  constructor(
    secret: string,
    private readonly now: () => number = Date.now,
  ) {
    this.key = Buffer.from(hkdfSync('sha256', secret, 'sauti', 'live-ingest', 32));
  }

  /** A token for the session, good for {@link INGEST_TOKEN_MS}. */
  make(sessionId: string): IngestToken {
    const expiresAt = Math.floor((this.now() + INGEST_TOKEN_MS) / 1_000);
    const number = this.nextNumber();
    const signature = this.signatureOf(sessionId, String(expiresAt), number);
    return { token: `${expiresAt}.${number}.${signature}`, expiresAt: new Date(expiresAt * 1_000) };
  }

  /** The token's number; null when it was not made here for this session, or has expired. */
  numberOf(sessionId: string, token: string): string | null {
    const [, expires, number, signature] = /^(\d{1,12})\.([0-9a-f]{28})\.([\w-]{43})$/.exec(token) ?? [];
    if (!expires || !number || !signature) return null;
    const expected = Buffer.from(this.signatureOf(sessionId, expires, number));
    if (!timingSafeEqual(expected, Buffer.from(signature))) return null;
    return Number(expires) * 1_000 > this.now() ? number : null;
  }

  /** Milliseconds, then chance; of two made here within a millisecond the later one is greater all the same. */
  private nextNumber(): string {
    this.lastAt = Math.max(this.now(), this.lastAt + 1);
    return this.lastAt.toString(16).padStart(12, '0') + randomBytes(8).toString('hex');
  }

  private signatureOf(sessionId: string, expires: string, number: string): string {
    return createHmac('sha256', this.key).update(`${sessionId}\n${expires}\n${number}`).digest('base64url');
  }
}
