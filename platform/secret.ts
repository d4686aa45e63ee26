import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A secret that survives restarts. Of processes that start together one creates the file and the others read it. */
export async function readOrMakeSecret(dataDirectory: string): Promise<string> {
  const file = path.join(dataDirectory, 'secret');
  await mkdir(dataDirectory, { recursive: true });
  try {
    await writeFile(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  for (;;) {
    const secret = await readFile(file, 'utf8');
    if (secret.length === 64) return secret;
    await new Promise((resolve) => setImmediate(resolve)); // its creator has not written it yet
  }
}
