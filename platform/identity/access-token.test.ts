import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import type { SautiError } from '../errors';
import { newId } from '../ids';
import { ACCESS_TOKEN_AUDIENCE, keyIdOf, signAccessToken, verifyAccessToken, type JwkSet } from './access-token';
import type { Viewer } from './viewer';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const KID = 'key-1';
const jwks: JwkSet = {
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'ES256', use: 'sig' }],
};
const viewer: Viewer = { userId: newId('usr'), sessionId: newId('ses'), scopes: ['admin:users', 'admin:audit'] };
const nowS = Math.floor(Date.now() / 1_000);

const HEADER = { alg: 'ES256', kid: KID, typ: 'at+jwt' };
const CLAIMS = {
  iss: 'sauti',
  aud: ACCESS_TOKEN_AUDIENCE,
  sub: viewer.userId,
  sid: viewer.sessionId,
  scope: '',
  iat: nowS,
  exp: nowS + 600,
};

/** A JWT written by hand, so that every part of it can be wrong. */
function token(header: object, claims: object | string, sign: (input: string) => string = es256(privateKey)): string {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims);
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  return `${input}.${sign(input)}`;
}
const encode = (text: string): string => Buffer.from(text).toString('base64url');
const es256 =
  (key: KeyObject) =>
  (input: string): string =>
    signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
const hs256 =
  (secret: string | Buffer) =>
  (input: string): string =>
    createHmac('sha256', secret).update(input).digest('base64url');
const without = (name: keyof typeof CLAIMS): object =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name));

test('a signed token proves its viewer until it expires', () => {
  const { token: signed, expiresAt } = signAccessToken(viewer, { kid: KID, privateKeyPem }, 600_000);
  expect(verifyAccessToken(signed, jwks)).toEqual({ viewer, endsAt: new Date(expiresAt.getTime() + 30_000) });
  expect(Math.abs(expiresAt.getTime() - Date.now() - 600_000)).toBeLessThan(5_000);
  expect(keyIdOf(signed)).toBe(KID);
});

test('the hand-written token of these tests is valid, so that each refusal below has one reason', () => {
  expect(verifyAccessToken(token(HEADER, CLAIMS), jwks).viewer).toEqual({ ...viewer, scopes: [] });
  // Clocks may differ by 30 seconds.
  expect(verifyAccessToken(token(HEADER, { ...CLAIMS, iat: nowS - 600, exp: nowS - 20 }), jwks).viewer.userId).toBe(
    viewer.userId,
  );
});

const publicPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const publicDer = publicKey.export({ type: 'spki', format: 'der' });
const strangerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const good = token(HEADER, CLAIMS);
const [headPart, bodyPart, signaturePart] = good.split('.') as [string, string, string];

test.each<[why: string, token: string]>([
  ['nothing', ''],
  ['no JWT', 'abc'],
  ['no signature', `${headPart}.${bodyPart}.`],
  ['two parts', `${headPart}.${bodyPart}`],
  ['four parts', `${good}.${signaturePart}`],
  ['white space around it', ` ${good} `],
  ['padding', `${headPart}=.${bodyPart}.${signaturePart}`],
  ['a changed payload', `${headPart}.${encode(JSON.stringify({ ...CLAIMS, sub: newId('usr') }))}.${signaturePart}`],
  ['alg none', token({ ...HEADER, alg: 'none' }, CLAIMS, () => '')],
  ['alg None with a signature', token({ ...HEADER, alg: 'None' }, CLAIMS)],
  ['no alg', token({ kid: KID, typ: 'at+jwt' }, CLAIMS)],
  ['HS256 with the public key as PEM', token({ ...HEADER, alg: 'HS256' }, CLAIMS, hs256(publicPem))],
  ['HS256 with the public key as DER', token({ ...HEADER, alg: 'HS256' }, CLAIMS, hs256(publicDer))],
  ['HS256 with the public key as JWK', token({ ...HEADER, alg: 'HS256' }, CLAIMS, hs256(JSON.stringify(jwks.keys[0])))],
  ['alg ES384', token({ ...HEADER, alg: 'ES384' }, CLAIMS)],
  ['an unknown key', token({ ...HEADER, kid: 'key-2' }, CLAIMS)],
  ['no key id', token({ alg: 'ES256', typ: 'at+jwt' }, CLAIMS)],
  ['a path as key id', token({ ...HEADER, kid: '../../dev/null' }, CLAIMS)],
  ['a list of key ids', token({ ...HEADER, kid: [KID] }, CLAIMS)],
  [
    'a key of its own in the header',
    token({ ...HEADER, jwk: createPublicKey(strangerKey).export({ format: 'jwk' }) }, CLAIMS, es256(strangerKey)),
  ],
  ["a stranger's signature", token(HEADER, CLAIMS, es256(strangerKey))],
  ['type JWT', token({ ...HEADER, typ: 'JWT' }, CLAIMS)],
  ['type JWT with a payload that is no JSON', token({ ...HEADER, typ: 'JWT' }, 'not json')],
  ['no type', token({ alg: 'ES256', kid: KID }, CLAIMS)],
  ['crit', token({ ...HEADER, crit: ['x'], x: 1 }, CLAIMS)],
  ['b64', token({ ...HEADER, b64: false }, CLAIMS)],
  ['a payload that is no object', token(HEADER, '"text"')],
  ['another audience', token(HEADER, { ...CLAIMS, aud: 'files' })],
  ['no audience', token(HEADER, without('aud'))],
  ['another issuer', token(HEADER, { ...CLAIMS, iss: 'sauti-gateway' })],
  ['no issuer', token(HEADER, without('iss'))],
  ['an end 40 seconds ago', token(HEADER, { ...CLAIMS, iat: nowS - 640, exp: nowS - 40 })],
  ['a start in 40 seconds', token(HEADER, { ...CLAIMS, nbf: nowS + 40 })],
  ['an issue in 40 seconds', token(HEADER, { ...CLAIMS, iat: nowS + 40, exp: nowS + 600 })],
  ['no end', token(HEADER, without('exp'))],
  ['a text as end', token(HEADER, { ...CLAIMS, exp: String(CLAIMS.exp) })],
  ['a negative end', token(HEADER, { ...CLAIMS, exp: -1 })],
  ['an end in 30,000 years', token(HEADER, { ...CLAIMS, exp: 1e12 })],
  ['a life of more than an hour', token(HEADER, { ...CLAIMS, exp: nowS + 3_601 })],
  ['no issue time', token(HEADER, without('iat'))],
  ['no subject', token(HEADER, without('sub'))],
  ['no session', token(HEADER, without('sid'))],
  ['8 KB', `${good}${'A'.repeat(8_192)}`],
])('a token with %s is refused', (_why, refused) => {
  expect(refusalOf(refused)?.code).toBe('UNAUTHENTICATED');
});

test('an expired token is told apart, and every other refusal is the same', () => {
  const messageOf = (refused: string): string | undefined => refusalOf(refused)?.message;
  const expired = token(HEADER, { ...CLAIMS, iat: nowS - 640, exp: nowS - 40 });
  expect(messageOf(expired)).toMatch(/expired/);
  // Only who holds the key learns that: with a wrong signature it is one refusal among the others.
  const others = [
    token(HEADER, { ...CLAIMS, exp: nowS - 40 }, es256(strangerKey)),
    'abc',
    token(HEADER, { ...CLAIMS, aud: 'x' }),
  ];
  expect(new Set(others.map(messageOf)).size).toBe(1);
  expect(messageOf('abc')).not.toMatch(/expired/);
});

/** What a token is refused with; undefined when it is accepted. */
function refusalOf(refused: string): SautiError | undefined {
  try {
    verifyAccessToken(refused, jwks);
    return undefined;
  } catch (error) {
    return error as SautiError;
  }
}
