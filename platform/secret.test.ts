import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readOrMakeSecret } from './secret';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'sauti-secret-'));
  file = path.join(directory, 'secret');
});
afterEach(() => rm(directory, { recursive: true }));

test('is made once by many that start together, for the owner’s eyes only, and stays', async () => {
  const secrets = await Promise.all(Array.from({ length: 20 }, () => readOrMakeSecret(directory)));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(await readOrMakeSecret(directory)).toBe(secrets[0]);
  expect(await readFile(file, 'utf8')).toBe(secrets[0]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['secret']);
});

test('is taken from a file made by hand, without the line end that an editor adds', async () => {
  const own = 'a secret of exactly 32 letters…!';
  await writeFile(file, `${own}\n`);
  expect(await readOrMakeSecret(directory)).toBe(own);
});

test.each(['', '\n', `${'a'.repeat(31)}\n`])('is refused with the name of the file when it holds %j', async (text) => {
  await writeFile(file, text);
  await expect(readOrMakeSecret(directory)).rejects.toThrow(file);
  expect(await readFile(file, 'utf8')).toBe(text);
});
