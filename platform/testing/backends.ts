import { describeWhenInstalled, programMissing } from './installed';
import { startTestRedis, type TestRedis } from './redis';

/** Where the job queue lives: nothing for PostgreSQL. */
export type Backend = () => { redisUrl?: string };

/** Declares the same tests for each store that the job queue can live in; Redis is a real one of their own. */
export function onEachBackend(tests: (backend: Backend) => void): void {
  describe('on PostgreSQL', () => tests(() => ({})));

  describeWhenInstalled(programMissing('redis-server', 'redis-server'), 'on Redis', () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startTestRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());
    tests(() => ({ redisUrl: redis.url }));
  });
}
