import { randomBytes } from 'node:crypto';
import { waitFor } from '../../platform/testing/wait';
import { READY_LIMIT_MS } from './target';

/** A token this near to its end is not used any more. */
const MARGIN_MS = 60_000;

interface Session {
  viewer: { id: string };
  tokens: { accessToken: string; expiresAt: string };
}

const SESSION = 'viewer { id } tokens { accessToken expiresAt }';

/** Somebody with an account, signed in anew whenever the token comes to its end. */
export class Account {
  private signingIn: Promise<void> | undefined;

  private constructor(
    private readonly endpoint: string,
    private readonly credentials: { email: string; password: string },
    private session: Session,
  ) {}

  static async signUp(endpoint: string): Promise<Account> {
    const credentials = {
      email: `${randomBytes(8).toString('hex')}@example.com`,
      password: randomBytes(12).toString('base64url'),
    };
    const { signUp } = await ask<{ signUp: Session }>(endpoint, {
      query: `mutation ($input: SignUpInput!) { signUp(input: $input) { ${SESSION} } }`,
      variables: { input: { ...credentials, displayName: 'Amina' } },
    });
    return new Account(endpoint, credentials, signUp);
  }

  get id(): string {
    return this.session.viewer.id;
  }

  /** An access token that is good for a while. */
  async token(): Promise<string> {
    if (Date.parse(this.session.tokens.expiresAt) - Date.now() < MARGIN_MS) {
      this.signingIn ??= this.signIn().finally(() => (this.signingIn = undefined));
      await this.signingIn;
    }
    return this.session.tokens.accessToken;
  }

  async ask<Data>(query: string, variables: object = {}): Promise<Data> {
    return ask<Data>(this.endpoint, { query, variables }, await this.token());
  }

  private async signIn(): Promise<void> {
    const { signIn } = await this.askUntilAnswered<{ signIn: Session }>();
    this.session = signIn;
  }

  private askUntilAnswered<Data>(): Promise<Data> {
    const query = `mutation ($input: SignInInput!) { signIn(input: $input) { ${SESSION} } }`;
    const look = () => ask<Data>(this.endpoint, { query, variables: { input: this.credentials } });
    return waitFor('somebody to sign them in', look, READY_LIMIT_MS);
  }
}

async function ask<Data>(endpoint: string, payload: object, token?: string): Promise<Data> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(payload),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
  if (errors || !data) throw new Error(`Refused: ${JSON.stringify(errors ?? response.status)}`);
  return data;
}
