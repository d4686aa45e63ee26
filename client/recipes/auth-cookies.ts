const SIGNED_IN = 'mfa { token } accessExpiresAt errors { code message }';
const SIGN_IN = `mutation ($input: SignInInput!) { session: signIn(input: $input) { ${SIGNED_IN} } }`;
const REFRESH = `mutation { session: refreshSession(input: {}) { ${SIGNED_IN} } }`;
const SIGN_OUT = 'mutation { endSessions(input: {}) { errors { code message } } }';
/** A session is renewed this long before its access token ends. */
const MARGIN_MS = 30_000;

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions: { code: string } }[];
}
interface SessionPayload {
  mfa: { token: string } | null;
  accessExpiresAt: string | null;
  errors: { code: string; message: string }[];
}

/** A session whose tokens are in cookies that no script can read. The page only knows until when it need not renew. */
export class BrowserSession {
  private expiresAtMs = 0;
  private renewal: Promise<void> | undefined;

  /** `url` is e.g. `https://api.sauti.example/graphql`; its operator has to allow this page's origin. */
  constructor(
    private readonly url: string,
    private readonly fetchLike: typeof fetch = fetch,
  ) {}

  /** Answers what a second factor needs (`verifyMfa`), or null when the user is signed in. Throws when refused. */
  async signIn(email: string, password: string): Promise<{ token: string } | null> {
    return this.begin(SIGN_IN, { input: { email, password } });
  }

  async signOut(): Promise<void> {
    await this.renewIfOld();
    await this.send(SIGN_OUT, {}, { 'sauti-session': 'cookie' });
    this.expiresAtMs = 0;
  }

  /** Runs an operation, with a session that is good for now. */
  async request<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Answer<Data>> {
    await this.renewIfOld();
    const response = await this.send(query, variables);
    if (response.status !== 401) return (await response.json()) as Answer<Data>;
    await this.renew();
    return (await (await this.send(query, variables)).json()) as Answer<Data>;
  }

  /** Call it when a page is loaded, and before a WebSocket or an EventSource is opened: its browser adds the cookies. */
  renew(): Promise<void> {
    // Parallel calls wait for one renewal.
    this.renewal ??= this.begin(REFRESH, {})
      .then(() => {})
      .finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  private async renewIfOld(): Promise<void> {
    if (this.expiresAtMs - Date.now() < MARGIN_MS) await this.renew();
  }

  /** With the header the answer sets cookies and shows no tokens. */
  private async begin(query: string, variables: object): Promise<{ token: string } | null> {
    const response = await this.send(query, variables, { 'sauti-session': 'cookie' });
    const { data, errors } = (await response.json()) as Answer<{ session: SessionPayload }>;
    const problem = errors?.[0] ?? data?.session.errors[0];
    if (problem) throw new Error(problem.message);
    const { mfa, accessExpiresAt } = data!.session;
    if (accessExpiresAt) this.expiresAtMs = Date.parse(accessExpiresAt);
    return mfa;
  }

  private send(query: string, variables: object, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetchLike(this.url, {
      method: 'POST',
      credentials: 'include',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
  }
}
