import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { StreamResult } from '../../client/resume';
import type { Authenticate } from '../../gateway/options';
import { runningStreams, type RunningStreams } from '../../gateway/testing/streams';
import { SautiError } from '../../platform/errors';
import { repositoryRoot } from '../../platform/root';
import { waitFor } from '../../platform/testing/wait';
import { startProxy, type Proxy } from '../proxy';

const missing = ['bash', 'curl'].filter((program) => spawnSync(program, ['--version']).error !== undefined);
if (missing.length > 0) console.warn(`The recipe for curl is not tested: ${missing.join(' and ')} not installed.`);

const authenticate: Authenticate = async (authorization) => {
  if (authorization !== 'Bearer good') throw new SautiError('UNAUTHENTICATED', 'This token is not good.');
  const viewer = { userId: 'ada', sessionId: 's', scopes: [] };
  return { viewer, issuedAt: new Date(), endsAt: new Date(Date.now() + 600_000) };
};
const entries = (topic: string): string =>
  JSON.stringify({ query: `subscription { entries(topic: "${topic}") { ... on Entry { n } } }` });

(missing.length > 0 ? describe.skip : describe)('curl', () => {
  let running: RunningStreams;
  let proxy: Proxy;
  let curl: ChildProcess | undefined;
  let output: string;
  beforeEach(async () => {
    running = await runningStreams('in process');
    proxy = await startProxy((await running.aGateway({ authenticate })).url);
  });
  afterEach(async () => {
    if (curl && curl.exitCode === null && process.kill(-curl.pid!, 'SIGKILL')) await once(curl, 'close');
    await proxy[Symbol.asyncDispose]();
    await running[Symbol.asyncDispose]();
  });

  function follow(operation: string, { token = 'good', cursor = [] as string[] } = {}): ChildProcess {
    output = '';
    const script = path.join(repositoryRoot(), 'client/recipes/curl.sh');
    // A group of its own, so that curl ends with its script.
    curl = spawn('bash', [script, proxy.url, operation, ...cursor], {
      env: { ...process.env, TOKEN: token },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    curl.stdout!.on('data', (piece: Buffer) => (output += piece.toString()));
    return curl;
  }
  const lines = (): StreamResult[] =>
    output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as StreamResult);
  const numbers = (): unknown[] => lines().map(({ data }) => (data as { entries: { n: number } }).entries.n);
  const append = (count: number): void => {
    for (let index = 0; index < count; index++) running.world.topic('a').append();
  };

  test('prints each event once when its connection is cut', async () => {
    follow(entries('a'));
    for (let round = 1; round <= 2; round++) {
      append(3);
      await waitFor('events', () => lines().length === round * 5 - 2);
      expect(proxy.cut()).toBeGreaterThan(0);
      append(2);
      proxy.restore();
      await waitFor('events of the time away', () => lines().length === round * 5);
    }
    expect(numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('begins behind a cursor', async () => {
    append(4);
    follow(entries('a'), { cursor: ['a:2'] });
    await waitFor('events', () => lines().length === 2);
    expect(numbers()).toEqual([3, 4]);
  });

  test.each([
    ['a token that is not good', entries('a'), { token: 'bad' }, 'UNAUTHENTICATED'],
    ['a document that is wrong', JSON.stringify({ query: 'subscription { no }' }), {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a cursor of another stream', entries('a'), { cursor: ['b:1'] }, 'BAD_USER_INPUT'],
  ])('says why it is refused, and fails: %s', async (_, operation, options, code) => {
    const [status] = (await once(follow(operation, options), 'close')) as [number];
    expect(status).toBe(1);
    expect(lines().map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual([code]);
  });
});
