const SIGNED_IN = 'mfa { token } tokens { accessToken refreshToken expiresAt } errors { code message }';
const SIGN_IN = `mutation ($input: SignInInput!) { session: signIn(input: $input) { ${SIGNED_IN} } }`;
const REFRESH = `mutation ($input: RefreshSessionInput!) { session: refreshSession(input: $input) { ${SIGNED_IN} } }`;
/** A session is renewed this long before its access token ends. */
const MARGIN_MS = 30_000;

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Of the access token, ISO 8601. */
  expiresAt: string;
}
/** Where tokens outlive the program: the Keychain, the Keystore, a file that only its owner can read. */
export interface TokenStore {
  read(): Promise<Tokens | null>;
  write(tokens: Tokens | null): Promise<void>;
}
interface SessionPayload {
  mfa: { token: string } | null;
  tokens: Tokens | null;
  errors: { code: string; message: string }[];
}

/** A session whose tokens the program keeps itself. */
export class TokenSession {
  private renewal: Promise<Tokens> | undefined;

  /** `url` is e.g. `https://api.sauti.example/graphql`. */
  constructor(
    private readonly url: string,
    private readonly store: TokenStore,
  ) {}

  /** Answers what a second factor needs (`verifyMfa`), or null when the user is signed in. Throws when refused. */
  async signIn(email: string, password: string, deviceName: string): Promise<{ token: string } | null> {
    const { mfa, tokens } = await this.begin(SIGN_IN, { input: { email, password, deviceName } });
    if (tokens) await this.store.write(tokens);
    return mfa;
  }

  /** Runs an operation, with a token that is good for now. */
  async request<Data>(query: string, variables: Record<string, unknown> = {}): Promise<{ data?: Data | null }> {
    const response = await this.send(query, variables, await this.accessToken());
    if (response.status !== 401) return (await response.json()) as { data?: Data | null };
    const { accessToken } = await this.renew();
    return (await (await this.send(query, variables, accessToken)).json()) as { data?: Data | null };
  }

  /** For `connection_init` of a WebSocket, `{ "authorization": "Bearer <token>" }`, and for everything else. */
  async accessToken(): Promise<string> {
    const tokens = await this.store.read();
    if (tokens && Date.parse(tokens.expiresAt) - Date.now() > MARGIN_MS) return tokens.accessToken;
    return (await this.renew()).accessToken;
  }

  /** Each refresh token works once: parallel calls wait for one renewal, and the new pair is kept before it is used. */
  private renew(): Promise<Tokens> {
    this.renewal ??= this.exchange().finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  private async exchange(): Promise<Tokens> {
    const before = await this.store.read();
    if (!before) throw new Error('Sign in first.');
    const { tokens } = await this.begin(REFRESH, { input: { refreshToken: before.refreshToken } });
    await this.store.write(tokens);
    return tokens!;
  }

  private async begin(query: string, variables: object): Promise<SessionPayload> {
    const response = await this.send(query, variables);
    const { data, errors } = (await response.json()) as {
      data?: { session: SessionPayload } | null;
      errors?: { message: string }[];
    };
    const problem = errors?.[0] ?? data?.session.errors[0];
    if (problem) throw new Error(problem.message);
    return data!.session;
  }

  private send(query: string, variables: object, accessToken?: string): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
  }
}
