import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../root';
import { createTestDatabase } from '../testing/database';

/** Runs the Prisma CLI with the engine of scripts/schema-engine.mjs, which downloads nothing. */
function prisma(url: string, ...args: string[]): { status: number | null; output: string } {
  const cli = path.join(repositoryRoot(), 'node_modules/prisma/build/index.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: repositoryRoot(),
    encoding: 'utf8',
    env: { ...process.env, DATABASE_URL: url, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  });
  return { status, output: stdout + stderr };
}

test('the migrations build exactly what the Prisma schema describes', async () => {
  await using database = await createTestDatabase();
  const diff = prisma(
    database.url,
    'migrate',
    'diff',
    '--from-config-datasource',
    '--to-schema',
    'prisma/schema',
    '--exit-code',
  );
  expect(diff).toEqual({ status: 0, output: expect.stringContaining('No difference') as string });
});

test('the Prisma CLI takes what we applied as its own', async () => {
  await using database = await createTestDatabase();
  expect(prisma(database.url, 'migrate', 'status').output).toContain('up to date');
  expect(prisma(database.url, 'migrate', 'deploy').output).toContain('No pending migrations');
});
