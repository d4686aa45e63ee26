import { spawn } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../../../platform/root';
import { programMissing } from '../../../platform/testing/installed';
import { waitFor } from '../../../platform/testing/wait';
import { runGuarded } from './run-guarded';
import { spawnGuarded } from './spawn-guarded';

const signal = new AbortController().signal;
const testWithLimits = programMissing('prlimit', 'util-linux') || process.platform !== 'linux' ? test.skip : test;
const limits = { signal, timeoutMs: 30_000, maxOutputBytes: 1_000 };

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

testWithLimits('a program gets no more memory than its bound', async () => {
  const fill = 'const kept = []; for (let n = 0; n < 40; n++) kept.push(Buffer.alloc(16 * 1024 * 1024, 1));';
  const run = (megabytes: number) =>
    runGuarded(process.execPath, ['-e', fill], { ...limits, maxMemoryBytes: megabytes * 1024 * 1024 }).then(
      ({ exitCode }) => exitCode,
      (error: Error) => error.name,
    );
  expect(await run(2_000)).toBe(0);
  expect(await run(300)).not.toBe(0);
});

testWithLimits('a program dies with the process that started it, however that ends', async () => {
  const script = `
    const { spawnGuarded } = require('./subgraphs/media/decoder/spawn-guarded');
    const running = spawnGuarded('sh', ['-c', 'echo $$; exec sleep 600'], { signal: new AbortController().signal });
    running.stdout.pipe(process.stdout);`;
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const parent = spawn(process.execPath, ['-r', register, '-e', script], { cwd: repositoryRoot(), stdio: 'pipe' });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  await waitFor('the program to end', () => !isRunning(pid));
});

test('it gives way to other work unless somebody waits for live speech', async () => {
  const { signal } = new AbortController();
  for (const isLive of [false, true]) {
    await using running = spawnGuarded('sh', ['-c', 'echo $$; exec sleep 600'], { signal, isLive });
    const [line] = (await once(running.stdout, 'data')) as [Buffer];
    expect(os.getPriority(Number(line.toString()))).toBe(Math.min(19, os.getPriority() + (isLive ? 0 : 10)));
  }
});

test('an abort ends it, and what it wrote to stderr is kept to its last part', async () => {
  const leaving = new AbortController();
  const script = 'head -c 100000 /dev/zero | tr "\\0" x >&2; echo end >&2; echo $$; exec sleep 600';
  await using running = spawnGuarded('sh', ['-c', script], { signal: leaving.signal });
  const [line] = (await once(running.stdout, 'data')) as [Buffer];
  running.stdout.resume();
  leaving.abort();
  const { exitCode, stderr } = await running.ended;
  expect([exitCode, isRunning(Number(line.toString()))]).toEqual([null, false]);
  expect([stderr.length, stderr.endsWith('x\nend\n') || stderr.endsWith('xend\n')]).toEqual([16_384, true]);
});

test('a run that takes too long or writes too much is stopped and can be tried again', async () => {
  const failed = { code: 'DECODER_FAILED', retryable: true };
  await expect(runGuarded('sleep', ['600'], { ...limits, timeoutMs: 50 })).rejects.toMatchObject(failed);
  await expect(runGuarded('sh', ['-c', 'cat /dev/zero'], limits)).rejects.toMatchObject(failed);
});

test('a program that is missing is told as such, and one that fails as its exit code', async () => {
  await expect(runGuarded('/nowhere/ffmpeg', [], limits)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  expect(await runGuarded('sh', ['-c', 'exit 127'], limits)).toMatchObject({ exitCode: 127 });
});

test('no argument is an option of what stands before the program', async () => {
  const { stdout } = await runGuarded('printf', ['%s|', '--pdeathsig', '--data=1', '-h', ''], limits);
  expect(stdout.toString()).toBe('--pdeathsig|--data=1|-h||');
});
