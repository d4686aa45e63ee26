import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { repositoryRoot } from '../platform/root';
import { openTestPlatform, type TestPlatform } from '../platform/testing/platform';
import { anAccount } from '../subgraphs/users/testing-accounts';

let test_: TestPlatform;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
afterAll(() => test_[Symbol.asyncDispose]());

/** Runs a command beside the running system, as npm does. */
async function run(script: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { NODE_ENV: _test, ...inherited } = process.env;
  const child = spawn(process.execPath, ['-r', './platform/testing/register.cjs', `scripts/${script}.ts`, ...args], {
    cwd: repositoryRoot(),
    env: { ...inherited, DATABASE_URL: test_.platform.database.url, SAUTI_DATA_DIR: test_.dataDirectory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number]>;
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await ended)[0], stdout, stderr };
}

test('npm run admin makes an account an administrator, and npm run audit tells of it', async () => {
  const { user } = await anAccount(test_.platform, { displayName: 'Amina' });
  const made = await run('admin', user.email.toUpperCase());
  expect(made).toEqual({ code: 0, stdout: `Amina (${user.id}) is an administrator now.\n`, stderr: '' });
  const { prisma } = test_.platform.database;
  expect(await prisma.user.findUnique({ where: { id: user.id } })).toMatchObject({ roles: ['ADMIN'] });

  const today = new Date().toISOString().slice(0, 10);
  const [log, csv] = [await run('audit', '--from', today), await run('audit', '--format', 'csv')];
  expect(JSON.parse(log.stdout)).toMatchObject({ action: 'access.changed', actorId: null, subjectId: user.id });
  expect(csv.stdout).toMatch(/^id,at,action,.*\r\naud_.*,access\.changed,.*\r\n$/);
  expect((await run('audit', '--to', today)).stdout).toBe('');
});

test.each([
  ['admin', ['nobody@sauti.example'], 'No account has the address nobody@sauti.example.'],
  ['admin', [], 'Use: npm run admin -- <e-mail'],
  ['audit', ['--format', 'xml'], 'Use: npm run --silent audit'],
  ['audit', ['--from', 'yesterday'], 'Use: npm run --silent audit'],
  ['audit', ['--colour', 'red'], "Unknown option '--colour'"],
])('npm run %s %j says what is wrong, and fails', async (script, args, message) => {
  const { code, stdout, stderr } = await run(script, ...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
});
