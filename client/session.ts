/** What signing in answers. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** ISO 8601. */
  expiresAt: string;
}

/** An access token is replaced this long before it ends: a call may take a while to arrive. */
const MARGIN_MS = 30_000;

/** The tokens of a client, renewed when they are needed and not before; parallel calls wait for one renewal. */
export class Session {
  private renewal: Promise<void> | undefined;

  /** `exchange` answers the next pair for a refresh token, which works once. */
  constructor(
    private tokens: Tokens,
    private readonly exchange: (refreshToken: string) => Promise<Tokens>,
  ) {}

  /** An access token that is good for now. Throws what `exchange` throws. */
  async accessToken(wasRefused = false): Promise<string> {
    const isOld = Date.parse(this.tokens.expiresAt) - Date.now() < MARGIN_MS;
    if (wasRefused || isOld) await (this.renewal ??= this.renew());
    return this.tokens.accessToken;
  }

  private async renew(): Promise<void> {
    try {
      this.tokens = await this.exchange(this.tokens.refreshToken);
    } finally {
      this.renewal = undefined;
    }
  }
}
