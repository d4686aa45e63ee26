import { eventStreamPost, openStream, type OpenStream } from '../../gateway/testing/event-stream';
import { aRawSocket, type RawSocket } from '../../gateway/testing/socket-client';

const TOKENS = 'tokens { accessToken refreshToken session { id } } errors { code }';
const INBOX = 'subscription { jobEvents { __typename } }';

interface Answer {
  tokens: { accessToken: string; refreshToken: string; session: { id: string } } | null;
  errors: { code: string }[];
}

/** A device that is signed in, as bare as a thief's: it renews nothing by itself. */
export class Device {
  private constructor(
    readonly url: string,
    readonly userId: string,
    public accessToken: string,
    public refreshToken: string,
    readonly sessionId: string,
  ) {}

  static async signUp(url: string, email: string): Promise<Device> {
    const { data } = await post(url, {
      query: `mutation ($email: String!) {
        result: signUp(input: { email: $email, password: "correct horse battery", displayName: "A" }) { viewer { id } ${TOKENS} } }`,
      variables: { email },
    });
    const { tokens, viewer, errors } = data!['result'] as Answer & { viewer: { id: string } };
    if (!tokens) throw new Error(JSON.stringify(errors));
    return new Device(url, viewer.id, tokens.accessToken, tokens.refreshToken, tokens.session.id);
  }

  /** The same device at another gateway. */
  at(url: string): Device {
    return new Device(url, this.userId, this.accessToken, this.refreshToken, this.sessionId);
  }

  /** Renews the tokens; answers the code of the refusal, or null. */
  async refresh(token = this.refreshToken): Promise<string | null> {
    const { data } = await post(this.url, {
      query: `mutation ($token: String!) { result: refreshSession(input: { refreshToken: $token }) { ${TOKENS} } }`,
      variables: { token },
    });
    const { tokens, errors } = data!['result'] as Answer;
    if (!tokens) return errors[0]!.code;
    this.accessToken = tokens.accessToken;
    this.refreshToken = tokens.refreshToken;
    return null;
  }

  async signOut(): Promise<void> {
    await post(this.url, { query: 'mutation { endSessions(input: {}) { ended } }' }, this.headers);
  }

  /** As an administrator: suspends an account. */
  async suspend(userId: string): Promise<void> {
    const input = { userId, status: 'SUSPENDED', reason: 'Spam' };
    const query = `mutation ($input: UpdateUserAccessInput!) { result: updateUserAccess(input: $input) { errors { code } } }`;
    const { data } = await post(this.url, { query, variables: { input } }, this.headers);
    if ((data?.['result'] as Answer | undefined)?.errors.length !== 0) throw new Error(JSON.stringify(data));
  }

  /** The status of a query over HTTP. */
  async status(): Promise<number> {
    return (await post(this.url, { query: '{ viewer { id } }' }, this.headers)).status;
  }

  /** A WebSocket with a subscription that goes on. */
  async openSocket(): Promise<RawSocket> {
    const init = { authorization: this.headers.authorization };
    const socket = await aRawSocket(this.url.replace(/^http/, 'ws'), { init });
    socket.send({ type: 'subscribe', id: 's', payload: { query: INBOX } });
    return socket;
  }

  /** The same as an event stream. */
  openEvents(): Promise<OpenStream> {
    return openStream(this.url, eventStreamPost({ query: INBOX }, this.headers));
  }

  private get headers(): { authorization: string } {
    return { authorization: `Bearer ${this.accessToken}` };
  }
}

async function post(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; data?: Record<string, unknown> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { ...((await response.json()) as { data?: Record<string, unknown> }), status: response.status };
}
