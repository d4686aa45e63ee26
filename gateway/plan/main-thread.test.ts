import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../../platform/root';

test('the main thread loads nothing of the planner (decision 9)', () => {
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const script = `require(${JSON.stringify(path.join(repositoryRoot(), 'gateway/server.ts'))});
    console.log(JSON.stringify(Object.keys(require.cache).flatMap((file) => /@apollo.(?:[^/\\\\]+)/.exec(file) ?? [])))`;
  const loaded = JSON.parse(
    execFileSync(process.execPath, ['-r', register, '-e', script], { encoding: 'utf8' }),
  ) as string[];
  const planners = ['gateway', 'query-planner', 'query-graphs', 'federation-internals', 'composition'];
  expect([...new Set(loaded)].filter((name) => planners.some((planner) => name.endsWith(planner)))).toEqual([]);
  expect(loaded.length).toBeGreaterThan(0);
});
