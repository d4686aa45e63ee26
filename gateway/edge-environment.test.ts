import { EnvironmentReader, type Env } from '../platform/environment';
import type { GatewayConfig } from './config/schema';
import { readEdgeEnvironment, type EdgeEnvironment } from './edge-environment';

interface Process {
  production: boolean;
  hasIdentity: boolean;
}

function read(
  env: Env,
  config: GatewayConfig = {},
  { production = false, hasIdentity = true }: Partial<Process> = {},
): EdgeEnvironment {
  const reader = new EnvironmentReader(env);
  const edge = readEdgeEnvironment(reader, config, { production, hasIdentity });
  reader.check();
  return edge;
}

test('limits are as the schema says in production, and generous elsewhere', () => {
  const general = { limit: 6_000, windowS: 60 };
  expect(read({}, {}, { production: true })).toEqual({
    trustedProxies: [],
    cookieSessions: true,
    rateLimits: { factor: 1, general, redisUrl: null },
  });
  expect(read({}).rateLimits).toMatchObject({ factor: 50 });
});

test('variables come before the file', () => {
  const config: GatewayConfig = {
    trustedProxies: ['10.0.0.0/8'],
    cookieSessions: false,
    rateLimits: { factor: 3, general: { limit: 7, windowS: 8 } },
  };
  expect(read({}, config)).toMatchObject({
    trustedProxies: ['10.0.0.0/8'],
    cookieSessions: false,
    rateLimits: { factor: 3, general: { limit: 7, windowS: 8 } },
  });
  const variables = {
    TRUSTED_PROXIES: 'loopback, 192.0.2.1',
    COOKIE_SESSIONS: 'on',
    RATE_LIMITS: '4',
    RATE_LIMIT_FIELDS: '9',
    REDIS_URL: 'redis://redis',
  };
  expect(read(variables, config)).toEqual({
    trustedProxies: ['loopback', '192.0.2.1'],
    cookieSessions: true,
    rateLimits: { factor: 4, general: { limit: 9, windowS: 8 }, redisUrl: 'redis://redis' },
  });
});

test.each<[string, Env, GatewayConfig, Partial<Process>, boolean]>([
  ['by the variable', { RATE_LIMITS: 'off' }, { rateLimits: {} }, {}, false],
  ['by the file', {}, { rateLimits: false }, {}, false],
  ['for somebody else’s subgraphs', {}, {}, { hasIdentity: false }, false],
  ['no more, when the variable wants it', { RATE_LIMITS: '2' }, { rateLimits: false }, { hasIdentity: false }, true],
  ['no more, when the file wants it', {}, { rateLimits: {} }, { hasIdentity: false }, true],
])('nothing is counted: %s', (_how, env, config, process, isCounted) => {
  expect(read(env, config, process).rateLimits !== null).toBe(isCounted);
});

test('without identity there are no sessions, so none in cookies', () => {
  expect(read({ COOKIE_SESSIONS: 'on' }, {}, { hasIdentity: false }).cookieSessions).toBe(false);
});

test('all faults are told together', () => {
  const faulty = {
    TRUSTED_PROXIES: 'the balancer',
    COOKIE_SESSIONS: 'yes',
    RATE_LIMITS: 'strict',
    RATE_LIMIT_FIELDS: '0',
  };
  for (const name of Object.keys(faulty)) expect(() => read(faulty)).toThrow(name);
});
