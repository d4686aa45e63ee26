import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../../../../platform/http/read-body';

/** What the token endpoint was asked. */
export interface TokenRequest {
  authorization: string | undefined;
  form: URLSearchParams;
}

/** A provider that says whatever a test wants; everything else about it is right. */
export interface StrangeProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly tokenRequests: TokenRequest[];
  /** How it answers from now on; missing parts are honest. */
  behave(strangeness: Strangeness): void;
}

export interface Strangeness {
  /** Claims that replace those of an honest ID token; undefined takes one away. */
  claims?: Record<string, unknown>;
  /** Header of the ID token. */
  header?: Record<string, unknown>;
  /** Signs the ID token. */
  sign?: (input: string) => string;
  /** In place of the whole answer of the token endpoint. */
  token?: { status: number; body: string; type?: string };
  userinfo?: Record<string, unknown>;
  /** Parts of the metadata that replace the honest ones. */
  metadata?: Record<string, unknown>;
}

/** The client of these tests at that provider. */
export const CLIENT = { clientId: 'sauti', clientSecret: 'p%:ss word' };

const KID = 'key-1';

export async function aStrangeProvider(): Promise<StrangeProvider> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'RS256', use: 'sig' }] };
  const tokenRequests: TokenRequest[] = [];
  let strange: Strangeness = {};
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown> = {
    '/.well-known/openid-configuration': (_request, response) =>
      reply(response, { ...metadataOf(issuer), ...strange.metadata }),
    '/jwks': (_request, response) => reply(response, jwks),
    '/userinfo': (_request, response) => reply(response, { sub: 'amina', ...strange.userinfo }),
    '/token': async (request, response) => {
      const form = new URLSearchParams((await readBody(request, { maxBytes: 65_536, idleMs: 5_000 })) ?? '');
      tokenRequests.push({ authorization: request.headers.authorization, form });
      if (strange.token) return write(response, strange.token);
      reply(response, { access_token: 'a', token_type: 'Bearer', id_token: idToken(issuer, privateKey, strange) });
    },
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = answers[request.url!.split('?')[0]!];
    if (route) await route(request, response);
    else response.writeHead(404).end();
  };
  return {
    issuer,
    tokenRequests,
    behave: (strangeness) => (strange = strangeness),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function metadataOf(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}

/** An ID token (OpenID Connect Core 1.0 §2) with whatever is strange about it. */
function idToken(issuer: string, key: KeyObject, { header, claims, sign = rs256(key) }: Strangeness): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const honest = { iss: issuer, sub: 'amina', aud: CLIENT.clientId, iat: nowS, exp: nowS + 600 };
  const identity = { email: 'amina@sauti.example', email_verified: true };
  const input = [
    { alg: 'RS256', kid: KID, ...header },
    { ...honest, ...identity, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${sign(input)}`;
}

export function rs256(key: KeyObject): (input: string) => string {
  return (input) => signBytes('sha256', Buffer.from(input), key).toString('base64url');
}

function reply(response: ServerResponse, body: object): void {
  write(response, { status: 200, body: JSON.stringify(body) });
}

function write(
  response: ServerResponse,
  { status, body, type = 'application/json' }: { status: number; body: string; type?: string },
): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}
