import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DEFAULT_GATEWAY_LIMITS } from '../options';
import { DEFAULT_SUBGRAPH_SETTINGS } from '../fetch/subgraph-settings';
import { readRepositoryFile } from '../../platform/root';
import { configOptions } from './config-options';
import { parseGatewayConfig, readGatewayConfig } from './read-config';
import { gatewayConfigSchema } from './schema';

const parse = (text: string) => parseGatewayConfig(text, 'gateway.yaml');
const settingsOf = (text: string, name = 'accounts') => configOptions(parse(text)).remoteSubgraph?.(name);

/** What is wrong with a text, fault by fault. */
function faultsOf(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    const [first, ...faults] = (error as Error).message.split('\n');
    expect(first).toBe('gateway.yaml is not valid:');
    return faults.map((fault) => fault.replace(/^ {2}- /, ''));
  }
}

test('an empty file sets nothing, and every setting has its default', () => {
  for (const text of ['', '# nothing', '{}']) expect(parse(text)).toEqual({});
  expect(settingsOf('')).toEqual({
    settings: {
      deadlineMs: DEFAULT_SUBGRAPH_SETTINGS.deadlineMs,
      headers: DEFAULT_SUBGRAPH_SETTINGS.headers,
      breaker: DEFAULT_SUBGRAPH_SETTINGS.breaker,
    },
  });
});

test('all faults are told together, each with its place', () => {
  expect(
    faultsOf(`
      port: '4000'
      deadline: 5
      limits: { maxdepth: 3, maxTokens: 0 }
      all: { retries: -1, headers: { forward: [Host, x-forwarded-for] } }
      subgraphs:
        accounts:
          url: ftp://accounts
          transport: grpc
          subscriptions: { protocol: sse }
          deadlineMs: { query: 1.5 }
          breaker: { failureRatio: 0.5 }
    `).sort(),
  ).toEqual([
    '"deadline" is unknown; did you mean "deadlineMs"?',
    expect.stringMatching(/^all\.headers: headers\.forward: "Host" is no header name in lower case/),
    expect.stringMatching(/^all\.headers: headers\.forward: "x-forwarded-for" is never forwarded/),
    expect.stringMatching(/^all\.retries: .*>=0/),
    expect.stringMatching(/^limits\.maxTokens: .*>=1/),
    'limits: "maxdepth" is unknown; did you mean "maxDepth"?',
    expect.stringMatching(/^port: .*expected number, received string/),
    'subgraphs.accounts.breaker: "failureRatio" is unknown; known are windowMs, minRequests, failurePercent, openMs',
    expect.stringMatching(/^subgraphs\.accounts\.deadlineMs\.query: .*int/),
    expect.stringMatching(/^subgraphs\.accounts\.subscriptions\.protocol: must be graphql-transport-ws/),
    expect.stringMatching(/^subgraphs\.accounts\.transport: .*"http"\|"in-process"/),
    'subgraphs.accounts.url: must be a URL with http: or https:',
  ]);
});

test('what may have several forms is told with them', () => {
  expect(faultsOf('supergraph: 5')).toEqual([expect.stringMatching(/^supergraph: must be one of: .*string.*object/)]);
  expect(faultsOf('supergraph: { subgraphs: [{ name: a, url: x }] }')).toEqual([
    'supergraph.subgraphs.0.url: must be a URL with http: or https:',
  ]);
  expect(faultsOf('planning: { store: true }')).toHaveLength(1);
});

test('text that is no YAML is told with line and column; a list is no configuration', () => {
  expect(faultsOf('port: 1\nhost: "x')).toEqual([expect.stringMatching(/line 2, column 9$/)]);
  expect(faultsOf('port: 1\nport: 2')).toEqual([expect.stringMatching(/unique.*line 2, column 1$/)]);
  expect(faultsOf('- port')).toHaveLength(1);
});

test('a subgraph’s own entries come before those for all, and those before the defaults', () => {
  const text = `
    all:
      deadlineMs: { query: 1000, mutation: 2000 }
      headers: { forward: [x-tenant] }
      retries: 3
      breaker: { openMs: 100, failurePercent: 80 }
    subgraphs:
      accounts:
        url: http://accounts/graphql
        subscriptions: { protocol: graphql-transport-ws, url: ws://accounts/ws }
        deadlineMs: { query: 50 }
        headers: { set: { x-key: k } }
        breaker: { minRequests: 5 }
        shareInFlight: true
      reviews: { breaker: false }
  `;
  expect(settingsOf(text)).toEqual({
    url: 'http://accounts/graphql',
    subscriptionUrl: 'ws://accounts/ws',
    settings: {
      deadlineMs: { query: 50, mutation: 2_000 },
      headers: { forward: [], set: { 'x-key': 'k' } },
      retries: 3,
      shareInFlight: true,
      breaker: { windowMs: 10_000, minRequests: 5, failureRatio: 0.8, openMs: 100 },
    },
  });
  expect(settingsOf(text, 'reviews')?.settings).toMatchObject({ breaker: null, retries: 3 });
  expect(settingsOf(text, 'constructor')?.settings).toMatchObject({ headers: { forward: ['x-tenant'], set: {} } });
  expect(settingsOf('all: { breaker: false }')?.settings).toMatchObject({ breaker: null });
  expect(
    settingsOf('{ all: { breaker: false }, subgraphs: { accounts: { breaker: {} } } }')?.settings?.breaker,
  ).toEqual(DEFAULT_SUBGRAPH_SETTINGS.breaker);
});

test('what concerns the gateway itself becomes its options', () => {
  const { remoteSubgraph, ...options } = configOptions(
    parse(`
      introspection: false
      corsOrigins: ['https://app.example']
      overrideLabels: [beta]
      planning: { budgetMs: 500, threads: 1, cacheSize: 10, store: false }
      deadlineMs: 9000
      limits: { maxDepth: 7 }
    `),
  );
  expect(remoteSubgraph).toBeDefined();
  expect(options).toEqual({
    introspection: false,
    corsOrigins: ['https://app.example'],
    overrideLabels: ['beta'],
    planning: { budgetMs: 500, threads: 1, store: false },
    limits: { maxDepth: 7, deadlineMs: 9_000, planCacheSize: 10 },
  });
});

describe('a file', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has its paths from its own folder', () => {
    const file = path.join(folder, 'gateway.yaml');
    writeFileSync(file, 'supergraph: ./shop.graphql\nplanning: { store: plans }\n');
    expect(readGatewayConfig(file)).toEqual({
      supergraph: path.join(folder, 'shop.graphql'),
      planning: { store: path.join(folder, 'plans') },
    });
  });

  test('that is missing is named', () => {
    expect(() => readGatewayConfig(path.join(folder, 'nothing.yaml'))).toThrow(/no configuration at .*nothing\.yaml/);
  });
});

describe('docs/gateway-configuration.md', () => {
  const examples = [...readRepositoryFile('docs/gateway-configuration.md').matchAll(/```yaml\n(.*?)```/gs)].map(
    ([, text]) => text!,
  );
  const complete = examples.find((text) => text.includes('\nall:'))!;

  test('has valid examples', () => {
    for (const text of examples) expect(faultsOf(text)).toEqual([]);
  });

  test('has every entry there is in its complete example', () => {
    const namesIn = (shape: object): string[] => Object.keys(shape).sort();
    const config = parse(complete);
    expect(namesIn(config)).toEqual(namesIn(gatewayConfigSchema.shape));
    expect(namesIn(config.all!)).toEqual(namesIn(gatewayConfigSchema.shape.all.unwrap().shape));
    expect(namesIn(config.limits!)).toEqual(namesIn(gatewayConfigSchema.shape.limits.unwrap().shape));
    expect(namesIn(config.planning!)).toEqual(namesIn(gatewayConfigSchema.shape.planning.unwrap().shape));
  });

  test('tells the defaults as they are', () => {
    const { limits, remoteSubgraph } = configOptions(parse(complete));
    const { maxAnswerBytes, ...others } = DEFAULT_GATEWAY_LIMITS;
    expect(limits).toEqual(others);
    expect(remoteSubgraph?.('any other')?.settings).toEqual({ ...DEFAULT_SUBGRAPH_SETTINGS, maxAnswerBytes });
  });
});
