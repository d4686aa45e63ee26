import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { newId } from '../ids';
import { signAccessToken, verifyAccessToken, type JwkSet } from './access-token';
import { deriveCallKey, isSignedCall, signCallIdentity, verifyCallIdentity } from './call-identity';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
const jwks: JwkSet = { keys: [{ ...jwk, kid: 'one', alg: 'ES256', use: 'sig' }] };
const callKey = deriveCallKey('a secret of at least thirty-two characters', 'users');
const viewer = { userId: newId('usr'), sessionId: newId('ses'), scopes: [] };

const accessToken = signAccessToken(viewer, { kid: 'one', privateKeyPem }, 600_000).token;
const callIdentity = signCallIdentity(callKey, 'users', { viewer, requestId: 'r' }, '{}');

test('both are good as what they are', () => {
  expect(verifyAccessToken(accessToken, jwks).viewer).toEqual(viewer);
  expect(verifyCallIdentity(callKey, 'users', `Bearer ${callIdentity}`, '{}')?.viewer).toEqual(viewer);
});

/** Opaque ones: random, and nothing in the token itself says what for. */
const OTHERS: [kind: string, token: string][] = [
  ['a refresh token', randomBytes(32).toString('base64url')],
  ['a token of a mail', randomBytes(32).toString('base64url')],
  ['an API key', `sauti_abcdefgh_${randomBytes(24).toString('base64url')}`],
  ['a signature of a link', randomBytes(32).toString('hex')],
  ['an id', newId('ses')],
];

test.each([['the identity of a call', callIdentity], ...OTHERS])('%s is no access token', (_, token) => {
  expect(() => verifyAccessToken(token, jwks)).toThrow('not valid');
});

test.each([['an access token', accessToken], ...OTHERS])('%s is no identity of a call', (_, token) => {
  expect(verifyCallIdentity(callKey, 'users', `Bearer ${token}`, '{}')).toBeNull();
  expect(isSignedCall(callKey, 'users', `Bearer ${token}`)).toBe(false);
});
