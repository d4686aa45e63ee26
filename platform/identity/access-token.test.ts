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
  const issuedAt = new Date('2026-11-26T12:00:00.789Z');
  const { token: signed, expiresAt } = signAccessToken(viewer, { kid: KID, privateKeyPem }, 600_000, issuedAt);
  expect(expiresAt).toEqual(new Date('2026-11-26T12:10:00Z'));
  const endsAt = new Date('2026-11-26T12:10:30Z');
  const proven = { viewer, issuedAt, endsAt };
  expect(verifyAccessToken(signed, jwks, issuedAt)).toEqual(proven);
  expect(verifyAccessToken(signed, jwks, new Date(endsAt.getTime() - 1))).toEqual(proven);
  expect(() => verifyAccessToken(signed, jwks, endsAt)).toThrow('expired');
  expect(keyIdOf(signed)).toBe(KID);
});

test('a clock that jumps opens no door: a token is good from 30 seconds before its issue to 30 seconds after its end', () => {
  const at = Date.parse('2026-11-26T12:00:00Z');
  const { token: signed } = signAccessToken(viewer, { kid: KID, privateKeyPem }, 600_000, new Date(at));
  const isGood = (seconds: number): boolean => refusalOf(signed, new Date(at + seconds * 1_000)) === undefined;
  const [hour, years] = [3_600, 10 * 365 * 24 * 3_600];
  expect([-30, 0, 600, 629].map(isGood)).toEqual([true, true, true, true]);
  for (const seconds of [-31, -hour, -years, 631, hour, years]) expect(isGood(seconds)).toBe(false);
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
  ['zip', token({ ...HEADER, zip: 'DEF' }, CLAIMS)],
  ['a key address', token({ ...HEADER, jku: 'http://127.0.0.1:9/keys' }, CLAIMS)],
  ['a certificate address', token({ ...HEADER, x5u: 'http://127.0.0.1:9/certificate' }, CLAIMS)],
  ['a certificate', token({ ...HEADER, x5c: ['MIIB'] }, CLAIMS)],
  ['SQL as key id', token({ ...HEADER, kid: "' or 1=1 --" }, CLAIMS)],
  ['8 KB as key id', token({ ...HEADER, kid: 'k'.repeat(8_192) }, CLAIMS)],
  ['another token within', token({ ...HEADER, cty: 'JWT' }, JSON.stringify(token(HEADER, CLAIMS)))],
  ['an encrypted one', `${encode('{"alg":"ECDH-ES","enc":"A256GCM"}')}..AAAA.AAAA.AAAA`],
  ['alg NONE', token({ ...HEADER, alg: 'NONE' }, CLAIMS)],
  ['alg PS256', token({ ...HEADER, alg: 'PS256' }, CLAIMS)],
  ['a list of algs', token({ ...HEADER, alg: ['ES256'] }, CLAIMS)],
  ['an empty header', token({}, CLAIMS)],
  ['a header that is no object', `${encode('null')}.${bodyPart}.${signaturePart}`],
  ['the other alphabet', `${headPart}.${Buffer.from('{"a":"???>>>"}').toString('base64')}.${signaturePart}`],
  ['two ends', token(HEADER, JSON.stringify(CLAIMS).replace('{', `{"exp":${nowS - 999},`))],
  [
    'two ends, of which the first is good',
    token(HEADER, JSON.stringify(CLAIMS).replace(/}$/, `,"exp":${nowS + 900}}`)),
  ],
  ['white space in its payload', token(HEADER, JSON.stringify(CLAIMS, null, 1))],
  ['a fraction as end', token(HEADER, { ...CLAIMS, exp: nowS + 600.5 })],
  ['a text as issue time', token(HEADER, { ...CLAIMS, iat: String(CLAIMS.iat) })],
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
function refusalOf(refused: string, now = new Date()): SautiError | undefined {
  try {
    verifyAccessToken(refused, jwks, now);
    return undefined;
  } catch (error) {
    return error as SautiError;
  }
}
