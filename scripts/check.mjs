/**
 * `npm run check`: everything that must hold beside the tests. Runs all of it, so that one look shows every fault;
 * ends with 1 when there is one. Migrations are compared with the Prisma schema by a test (prisma-history.test.ts).
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNpm } from './bootstrap/dependencies.mjs';
import { run } from './bootstrap/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = (...args) => run(process.execPath, args, { cwd: root });
const tool = (script, ...args) => node(path.join(root, 'node_modules', script), ...args);

const CHECKS = [
  ['types', () => tool('typescript/bin/tsc', '-p', '.')],
  ['lint', () => tool('eslint/bin/eslint.js', '.')],
  ['format', () => tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')],
  [
    'supergraph is what the subgraphs compose to',
    () => node('-r', './platform/testing/register.cjs', 'scripts/compose.ts', '--check'),
  ],
  // A lock file can be written that `npm ci` then refuses; a fresh clone would be the first to notice.
  [
    'package-lock.json can be installed',
    () => runNpm(root, ['ci', '--dry-run', '--ignore-scripts', '--no-audit', '--no-fund']),
  ],
];

for (const [title, check] of CHECKS) {
  const startedAt = performance.now();
  const { code, output } = await check();
  console.log(`${code === 0 ? '✓' : '✗'} ${title} (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`);
  if (code === 0) continue;
  console.log(`\n${output.trim()}\n`);
  process.exitCode = 1;
}
