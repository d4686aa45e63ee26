import { silentLogger } from '../../platform/logger';
import { describeWhenInstalled, programMissing } from '../../platform/testing/installed';
import { startTestRedis, type TestRedis } from '../../platform/testing/redis';
import { waitFor } from '../../platform/testing/wait';
import { anEdgeWorld } from '../testing/edge-world';
import { post } from '../testing/gateways';
import { redisCounterStore } from './redis-store';

describeWhenInstalled(programMissing('redis-server', 'redis-server'), 'counts in Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startTestRedis()));
  afterAll(() => redis[Symbol.asyncDispose]());

  const aGateway = async () => {
    const store = redisCounterStore({ url: redis.url, logger: silentLogger });
    const world = await anEdgeWorld('in process', { rateLimits: { store } });
    const ask = async (query: string): Promise<unknown> => {
      const response = await fetch(world.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const code = /"code":"(\w+)"/.exec(await response.text())?.[1];
      return code ? [response.status, code, response.headers.get('retry-after')] : response.status;
    };
    const ready = (): Promise<unknown> =>
      waitFor('Redis to count', async () => (await post(world.url, 'mutation { refresh change }')).status === 200);
    return {
      ...world,
      ask,
      ready,
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    };
  };

  const refused = [429, 'RATE_LIMITED', expect.stringMatching(/^(600|59\d)$/)] as unknown;

  test('gateways count together', async () => {
    await using one = await aGateway();
    await using other = await aGateway();
    await Promise.all([one.ready(), other.ready()]);
    const outcomes = [await one.ask('{ rare }'), await other.ask('{ rare }'), await one.ask('{ rare }')];
    expect([...outcomes, await other.ask('{ rare }'), await one.ask('{ rare }')]).toEqual([
      ...[200, 200, 200],
      ...[refused, refused],
    ]);
    expect(one.count('rare') + other.count('rare')).toBe(3);
  });

  test('while it is away a field with a limit is refused and not executed, and everything else answers', async () => {
    await redis.kill();
    await redis.start();
    await using gateway = await aGateway();
    await gateway.ready();
    await redis.kill();
    const isRefused = async (): Promise<boolean> => (await gateway.ask('{ rare }')) !== 200;
    await waitFor('the gateway to notice', isRefused);
    const before = gateway.count('rare');
    expect(await gateway.ask('{ who rare }')).toEqual([503, 'RATE_LIMITS_UNAVAILABLE', '1']);
    expect(await gateway.ask('mutation { signIn(input: { email: "a@x.example" }) }')).toEqual([
      503,
      'RATE_LIMITS_UNAVAILABLE',
      '1',
    ]);
    expect([gateway.count('rare'), gateway.count('signIn')]).toEqual([before, 0]);
    expect(await gateway.ask('{ who other }')).toBe(200);
    await redis.start();
    await waitFor('it to count again', async () => (await gateway.ask('{ rare }')) === 200);
  });
});
