import { deriveCallKey } from '../../platform/identity/call-identity';
import { silentLogger } from '../../platform/logger';
import { serveSubgraph } from '../../platform/subgraph/serve';
import { openTestPlatform } from '../../platform/testing/platform';
import { createUsersSubgraph, JWKS_PATH } from './subgraph';

test('the public keys are open to everybody and hold nothing private', async () => {
  await using opened = await openTestPlatform();
  const subgraph = createUsersSubgraph(opened.platform);
  const callKey = deriveCallKey(opened.platform.secret, 'users');
  await using server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });

  const response = await fetch(`http://127.0.0.1:${server.port}${JWKS_PATH}`);
  expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
  expect(keys).toHaveLength(1);
  expect(Object.keys(keys[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  expect(keys[0]).toMatchObject({ alg: 'ES256', crv: 'P-256', kty: 'EC', use: 'sig' });
});
