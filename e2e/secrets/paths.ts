import { aRawSocket } from '../../gateway/testing/socket-client';

/** Where a secret is sent to. */
export interface Target {
  endpoint: string;
  /** Where the users subgraph answers. */
  users: string;
  /** A good access token, for paths behind it. */
  accessToken: string;
}

/** One road by which a secret can come to us; answers all that came back. */
export interface SecretPath {
  /** What kind of secret it is taken for, and how it comes. */
  name: string;
  send(secret: string, target: Target): Promise<string>;
}

const SIGN_IN = 'mutation ($input: SignInInput!) { signIn(input: $input) { errors { code message path } } }';

async function post(target: Target, body: unknown, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(target.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return text(response);
}

async function text(response: Response): Promise<string> {
  return `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`;
}

const anonymous =
  (query: string, variables: (secret: string) => object) =>
  (secret: string, target: Target): Promise<string> =>
    post(target, { query, variables: variables(secret) });
const signedIn =
  (query: string, variables: (secret: string) => object) =>
  (secret: string, target: Target): Promise<string> =>
    post(target, { query, variables: variables(secret) }, { authorization: `Bearer ${target.accessToken}` });
const input = (field: string, type: string, shown = 'errors { code message path }'): string =>
  `mutation ($input: ${type}!) { ${field}(input: $input) { ${shown} } }`;
const header =
  (headers: (secret: string) => Record<string, string>) =>
  (secret: string, target: Target): Promise<string> =>
    post(target, { query: '{ viewer { id } }' }, headers(secret));
const url =
  (search: (secret: string) => string) =>
  async (secret: string, target: Target): Promise<string> =>
    text(await fetch(`${target.endpoint}?${search(secret)}`));
const socket =
  (message: (secret: string) => unknown) =>
  async (secret: string, target: Target): Promise<string> => {
    const raw = await aRawSocket(target.endpoint.replace('http', 'ws'));
    raw.send(message(secret));
    const { code, reason } = await raw.closed;
    return `${code} ${reason} ${JSON.stringify(raw.messages)}`;
  };

const account = (secret: string, n: number): object => ({
  input: { email: `secrets-${n}@sauti.example`, password: secret, displayName: 'Amina' },
});

export const SECRET_PATHS: readonly SecretPath[] = [
  { name: 'password: sign-up', send: anonymous(input('signUp', 'SignUpInput'), (s) => account(s, 1)) },
  {
    name: 'password: sign-up, refused',
    send: anonymous(input('signUp', 'SignUpInput'), (s) => account(s.repeat(20), 2)),
  },
  {
    name: 'password: sign-up with a bad address',
    send: anonymous(input('signUp', 'SignUpInput'), (s) => ({
      input: { email: 'nobody', password: s, displayName: 'Amina' },
    })),
  },
  { name: 'password: sign-in', send: anonymous(SIGN_IN, (s) => ({ input: { email: 'a@b.example', password: s } })) },
  {
    name: 'password: in place of the address',
    send: anonymous(SIGN_IN, (s) => ({ input: { email: s, password: 'x' } })),
  },
  { name: 'password: of the wrong type', send: anonymous(SIGN_IN, (s) => ({ input: { email: 1, password: [s] } })) },
  {
    name: 'password: in a field that is not there',
    send: anonymous(SIGN_IN, (s) => ({ input: { email: 'a', pasword: s } })),
  },
  {
    name: 'password: in the document',
    send: (s, t) =>
      post(t, { query: `mutation { signIn(input: { email: "a@b.example", password: "${s}" }) { viewer { id } } }` }),
  },
  {
    name: 'password: in a document with an error',
    send: (s, t) =>
      post(t, { query: `mutation { signIn(input: { email: "a@b.example", password: "${s}" ) { viewer }` }),
  },
  {
    name: 'password: in a document of a field that is not there',
    send: (s, t) => post(t, { query: `mutation { signInn(password: "${s}") { viewer { id } } }` }),
  },
  {
    name: 'password: in JSON that breaks off',
    send: (s, t) => post(t, `{"query":"{ viewer }","variables":{"p":"${s}"`),
  },
  { name: 'password: as a body', send: (s, t) => post(t, s) },
  {
    name: 'password: as a form',
    send: (s, t) => post(t, `password=${s}`, { 'content-type': 'application/x-www-form-urlencoded' }),
  },
  {
    name: 'password: as a name of an operation',
    send: (s, t) => post(t, { query: 'query A { viewer { id } }', operationName: s }),
  },
  { name: 'password: in extensions', send: (s, t) => post(t, { query: '{ nothing }', extensions: { password: s } }) },
  {
    name: 'password: changing it',
    send: signedIn(input('changePassword', 'ChangePasswordInput'), (s) => ({
      input: { currentPassword: s, newPassword: `${s}-new` },
    })),
  },
  {
    name: 'password: changing it to a bad one',
    send: signedIn(input('changePassword', 'ChangePasswordInput'), (s) => ({
      input: { currentPassword: 'x', newPassword: s },
    })),
  },
  {
    name: 'password: proving it again',
    send: signedIn(input('reauthenticate', 'ReauthenticateInput'), (s) => ({ input: { password: s } })),
  },
  {
    name: 'password: deleting the account',
    send: signedIn(input('deleteAccount', 'DeleteAccountInput'), (s) => ({ input: { password: s } })),
  },
  {
    name: 'refresh token: refreshing',
    send: anonymous(input('refreshSession', 'RefreshSessionInput'), (s) => ({ input: { refreshToken: s } })),
  },
  {
    name: 'refresh token: by GET',
    send: url((s) => `query={viewer{id}}&variables=${encodeURIComponent(JSON.stringify({ refreshToken: s }))}`),
  },
  { name: 'refresh token: as an access token', send: header((s) => ({ authorization: `Bearer ${s}` })) },
  { name: 'access token: in another scheme', send: header((s) => ({ authorization: `Basic ${s}` })) },
  {
    name: 'access token: as a cookie',
    send: header((s) => ({ cookie: `__Host-sauti-access=${s}; __Host-sauti-refresh=${s}` })),
  },
  { name: 'access token: in the URL', send: url((s) => `query={viewer{id}}&access_token=${s}`) },
  {
    name: 'access token: in the URL as authorization',
    send: url((s) => `query={viewer{id}}&authorization=Bearer%20${s}`),
  },
  {
    name: 'access token: on a socket',
    send: socket((s) => ({ type: 'connection_init', payload: { authorization: `Bearer ${s}` } })),
  },
  {
    name: 'access token: in a message that is none',
    send: socket((s) => `{"type":"connection_init","payload":{"authorization":"${s}"`),
  },
  {
    name: 'access token: at the subgraph',
    send: async (s, t) =>
      text(
        await fetch(`${t.users}/graphql`, { method: 'POST', headers: { authorization: `Bearer ${s}` }, body: '{}' }),
      ),
  },
  {
    name: 'access token: at a path that is not there',
    send: async (s, t) => text(await fetch(new URL(`/tokens/${s}`, t.endpoint))),
  },
  { name: 'API key: as a bearer', send: header((s) => ({ authorization: `Bearer sauti_${s}` })) },
  { name: 'API key: in its header', send: header((s) => ({ 'x-api-key': `sauti_${s}` })) },
  { name: 'API key: in the URL', send: url((s) => `query={viewer{id}}&api_key=sauti_${s}`) },
  {
    name: 'token of a mail: verifying',
    send: anonymous(input('verifyEmail', 'TokenInput'), (s) => ({ input: { token: s } })),
  },
  {
    name: 'token of a mail: resetting',
    send: anonymous(input('resetPassword', 'ResetPasswordInput'), (s) => ({
      input: { token: s, newPassword: `${s}-new` },
    })),
  },
  {
    name: 'second factor: token and code',
    send: anonymous(input('verifyMfa', 'VerifyMfaInput'), (s) => ({ input: { token: s, code: s } })),
  },
  {
    name: 'second factor: proving it again',
    send: signedIn(input('reauthenticate', 'ReauthenticateInput'), (s) => ({ input: { code: s } })),
  },
  {
    name: 'second factor: device token',
    send: anonymous(SIGN_IN, (s) => ({ input: { email: 'a@b.example', password: 'x', deviceToken: s } })),
  },
  {
    name: 'OAuth: state and code',
    send: anonymous(input('completeOAuth', 'CompleteOAuthInput'), (s) => ({ input: { state: s, code: s } })),
  },
  {
    name: 'live session: HTTP token',
    send: async (s, t) =>
      text(
        await fetch(new URL('/live/liv_00000000000000000000000000', t.endpoint), {
          method: 'PUT',
          headers: { authorization: `Bearer ${s}` },
          body: 'x',
        }),
      ),
  },
  {
    name: 'download: signature of a link',
    send: async (s, t) =>
      text(await fetch(new URL(`/files/fil_00000000000000000000000000?expires=9999999999&signature=${s}`, t.endpoint))),
  },
  {
    name: 'upload: field of a form',
    send: async (s, t) => {
      const body = new FormData();
      body.set('operations', `{"query":"{ viewer { id } }","variables":{"password":"${s}"`);
      return text(await fetch(t.endpoint, { method: 'POST', headers: { 'apollo-require-preflight': 'x' }, body }));
    },
  },
  {
    name: 'any: as User-Agent',
    send: header((s) => ({ 'user-agent': `app/1 token=${s}`, authorization: 'Bearer x' })),
  },
];
