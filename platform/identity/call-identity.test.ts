import jwt from 'jsonwebtoken';
import { newId } from '../ids';
import { deriveCallKey, isSignedCall, MULTIPART_BODY, signCallIdentity, verifyCallIdentity } from './call-identity';
import type { CallIdentity } from './viewer';

const SECRET = 'a secret of at least thirty-two characters';
const key = deriveCallKey(SECRET, 'files');
const identity: CallIdentity = {
  viewer: { userId: newId('usr'), sessionId: newId('ses'), scopes: ['admin:users'] },
  requestId: 'request-1',
};
const BODY = '{"query":"{ files { nodes { id } } }"}';
const signed = `Bearer ${signCallIdentity(key, 'files', identity, BODY)}`;

test('proves who asks, for the body it was signed for', () => {
  expect(verifyCallIdentity(key, 'files', signed, BODY)).toEqual(identity);
  expect(isSignedCall(key, 'files', signed)).toBe(true);
});

test('proves an anonymous caller, too', () => {
  const anonymous: CallIdentity = { viewer: null, requestId: 'request-2' };
  expect(verifyCallIdentity(key, 'files', `Bearer ${signCallIdentity(key, 'files', anonymous, BODY)}`, BODY)).toEqual(
    anonymous,
  );
});

test('proves nothing for another body, not even for a multipart request', () => {
  expect(verifyCallIdentity(key, 'files', signed, `${BODY} `)).toBeNull();
  expect(verifyCallIdentity(key, 'files', signed, MULTIPART_BODY)).toBeNull();
});

test('proves nothing to another subgraph, whose key is another and whose name is another', () => {
  expect(verifyCallIdentity(deriveCallKey(SECRET, 'media'), 'media', signed, BODY)).toBeNull();
  expect(verifyCallIdentity(key, 'media', signed, BODY)).toBeNull();
  expect(deriveCallKey(SECRET, 'media').equals(key)).toBe(false);
});

test('is worth nothing 46 seconds later, or when it was signed in the future', () => {
  const signedAt = new Date('2026-11-26T12:00:00Z');
  const authorization = `Bearer ${signCallIdentity(key, 'files', identity, BODY, signedAt)}`;
  const verifiedAfter = (seconds: number): unknown =>
    verifyCallIdentity(key, 'files', authorization, BODY, new Date(signedAt.getTime() + seconds * 1_000));
  expect([-15, 0, 29, 44].map(verifiedAfter)).toEqual([identity, identity, identity, identity]);
  const years = 10 * 365 * 24 * 3_600;
  for (const seconds of [46, 3_600, years, -16, -3_600, -years]) expect(verifiedAfter(seconds)).toBeNull();
});

test.each<[why: string, authorization: string | undefined]>([
  ['nothing', undefined],
  ['an empty header', ''],
  ['another scheme', signed.replace('Bearer', 'Basic')],
  ['no signature', signed.slice(0, signed.lastIndexOf('.') + 1)],
  [
    'a token without a signature algorithm',
    `Bearer ${jwt.sign({ jti: 'x', body: '' }, '', { algorithm: 'none', issuer: 'sauti-gateway', audience: 'files' })}`,
  ],
  ['another issuer', `Bearer ${jwt.sign({ jti: 'x' }, key, { issuer: 'sauti', audience: 'files', expiresIn: 30 })}`],
  [
    'no issue time',
    `Bearer ${jwt.sign({ jti: 'x' }, key, { issuer: 'sauti-gateway', audience: 'files', noTimestamp: true })}`,
  ],
  ['no request id', `Bearer ${jwt.sign({}, key, { issuer: 'sauti-gateway', audience: 'files', expiresIn: 30 })}`],
  [
    'HS512',
    `Bearer ${jwt.sign({ jti: 'x' }, key, { algorithm: 'HS512', issuer: 'sauti-gateway', audience: 'files', expiresIn: 30 })}`,
  ],
])('%s proves nothing', (_why, authorization) => {
  expect([isSignedCall(key, 'files', authorization), verifyCallIdentity(key, 'files', authorization, BODY)]).toEqual([
    false,
    null,
  ]);
});
