import type { GatewayConfig } from './config/schema';
import { gatewayConfigFile, readGatewayEnvironment } from './environment';

const secret = 'x'.repeat(40);

test('flags come before variables, and a supergraph of its own means no identity', () => {
  const own = readGatewayEnvironment(['--supergraph', '/tmp/shop.graphql', '--port', '4444'], {
    PORT: '1',
    SAUTI_SECRET: secret,
  });
  expect(own).toMatchObject({ supergraph: { file: '/tmp/shop.graphql' }, port: 4444, identity: null });
  const system = readGatewayEnvironment([], { PORT: '4001', JWKS_URL: 'http://users/jwks', SAUTI_SECRET: secret });
  expect(system).toMatchObject({ port: 4001, secret, identity: { jwksUrl: 'http://users/jwks' } });
  expect(system.supergraph).toEqual({ file: expect.stringMatching(/gateway\/supergraph\.graphql$/) });
});

test('the configuration file is named by a flag or a variable, and both come before what is in it', () => {
  expect(gatewayConfigFile([], {})).toBeNull();
  expect(gatewayConfigFile([], { SAUTI_GATEWAY_CONFIG: 'b.yaml' })).toBe('b.yaml');
  expect(gatewayConfigFile(['--config', 'a.yaml'], { SAUTI_GATEWAY_CONFIG: 'b.yaml' })).toBe('a.yaml');
  const config: GatewayConfig = {
    port: 1,
    host: '::1',
    deadlineMs: 1_000,
    corsOrigins: ['https://a.example'],
    supergraph: { subgraphs: [{ name: 'a', url: 'http://a' }] },
    limits: { maxFileBytes: 5 },
  };
  expect(readGatewayEnvironment([], {}, config)).toMatchObject({
    port: 1,
    host: '::1',
    deadlineMs: 1_000,
    corsOrigins: ['https://a.example'],
    supergraph: { subgraphs: [{ name: 'a', url: 'http://a' }], pollIntervalMs: null },
    maxFileBytes: 5,
    identity: null,
  });
  const variables = { HOST: '0.0.0.0', DEADLINE_MS: '2000', CORS_ORIGINS: 'https://b.example', MAX_FILE_BYTES: '6' };
  expect(readGatewayEnvironment(['--port', '2', '--supergraph', '/s.graphql'], variables, config)).toMatchObject({
    port: 2,
    host: '0.0.0.0',
    deadlineMs: 2_000,
    corsOrigins: ['https://b.example'],
    supergraph: { file: '/s.graphql' },
    maxFileBytes: 6,
  });
});

test('a configuration without a supergraph is for this repository’s own, with identity', () => {
  expect(readGatewayEnvironment([], { JWKS_URL: 'http://users/jwks' }, { port: 1 })).toMatchObject({
    supergraph: { file: expect.stringMatching(/supergraph\.graphql$/) },
    identity: { jwksUrl: 'http://users/jwks' },
  });
});

test('a subgraph has the address its variable says', () => {
  const { remoteSubgraph } = readGatewayEnvironment([], {
    SUBGRAPH_URL_BIG_MEDIA: 'http://media:4003/graphql',
    SUBGRAPH_WS_URL_BIG_MEDIA: 'ws://media:5003/graphql',
    SUBGRAPH_URL_USERS: 'http://users/graphql',
  });
  expect(remoteSubgraph('big-media')).toEqual({
    url: 'http://media:4003/graphql',
    subscriptionUrl: 'ws://media:5003/graphql',
  });
  expect(remoteSubgraph('users')).toEqual({ url: 'http://users/graphql' });
  expect(remoteSubgraph('other')).toBeUndefined();
});

test('all faults are told together', () => {
  expect(() =>
    readGatewayEnvironment(['--port', 'x'], { SUBGRAPH_URL_A: 'ftp://a', LOG_LEVEL: 'loud', DEADLINE_MS: '1' }),
  ).toThrow(/SUBGRAPH_URL_A[\s\S]*LOG_LEVEL[\s\S]*PORT[\s\S]*DEADLINE_MS/);
});

test('a secret under 32 characters is a fault, as in every other process', () => {
  expect(() => readGatewayEnvironment([], { SAUTI_SECRET: 'x'.repeat(31) })).toThrow(/SAUTI_SECRET.*32/);
});

test('an address for subscriptions without one for queries is a fault', () => {
  expect(() => readGatewayEnvironment([], { SUBGRAPH_WS_URL_USERS: 'ws://users:4001/graphql' })).toThrow(
    /SUBGRAPH_WS_URL_USERS needs SUBGRAPH_URL_USERS/,
  );
});

test('an unknown flag is refused', () => {
  expect(() => readGatewayEnvironment(['--prot', '1'], {})).toThrow(/--prot/);
});
