import { newId } from '../../../../platform/ids';
import { IngestTokens, INGEST_TOKEN_MS } from './ingest-token';

const SECRET = 'a secret of at least thirty-two characters';
const id = newId('liv');

test('a token is known for its session in every process with the same secret, and nowhere else', () => {
  const { token, expiresAt } = new IngestTokens(SECRET).make(id);
  expect(new IngestTokens(SECRET).numberOf(id, token)).toMatch(/^[0-9a-f]{28}$/);
  expect(new IngestTokens(SECRET).numberOf(newId('liv'), token)).toBeNull();
  expect(new IngestTokens(`another ${SECRET}`).numberOf(id, token)).toBeNull();
  expect(expiresAt.getTime()).toBeGreaterThan(Date.now() + INGEST_TOKEN_MS - 2_000);
});

test('a token that was changed anywhere is no token', () => {
  const tokens = new IngestTokens(SECRET);
  const { token } = tokens.make(id);
  for (let at = 0; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === '1' ? '2' : '1'}${token.slice(at + 1)}`;
    expect([at, tokens.numberOf(id, changed)]).toEqual([at, null]);
  }
  for (const other of ['', '..', `${token}x`, token.slice(1), 'x'.repeat(10_000)])
    expect(tokens.numberOf(id, other)).toBeNull();
});

test('a token expires after a minute', () => {
  let now = 1_700_000_000_000;
  const tokens = new IngestTokens(SECRET, () => now);
  const { token } = tokens.make(id);
  now += INGEST_TOKEN_MS - 1;
  expect(tokens.numberOf(id, token)).not.toBeNull();
  now += 1;
  expect(tokens.numberOf(id, token)).toBeNull();
});

test('numbers of later tokens sort behind those of earlier ones, also within a millisecond', () => {
  const tokens = new IngestTokens(SECRET, () => 1_700_000_000_000);
  const numbers = Array.from({ length: 50 }, () => tokens.numberOf(id, tokens.make(id).token)!);
  expect([...numbers].sort()).toEqual(numbers);
  expect(new Set(numbers).size).toBe(50);
});
