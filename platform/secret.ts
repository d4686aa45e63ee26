import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const MIN_LENGTH = 32;

/**
 * A secret that survives restarts: the text of the file `secret`, made at the first start. Of processes that start
 * together one makes it and the others read it. Throws when the file holds fewer than 32 characters.
 */
export async function readOrMakeSecret(dataDirectory: string): Promise<string> {
  const file = path.join(dataDirectory, 'secret');
  await mkdir(dataDirectory, { recursive: true });
  const secret = (await readIfThere(file)) ?? (await make(file));
  if (secret.length < MIN_LENGTH) {
    throw new Error(
      `${file} must hold at least ${MIN_LENGTH} characters, but holds ${secret.length}. Put your secret back, or delete the file: a new one is made, and everybody has to sign in again.`,
    );
  }
  return secret;
}

/** The name appears only when the bytes are on disk, so nobody ever reads half a secret, whenever we are killed. */
async function make(file: string): Promise<string> {
  const partial = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await writeFile(partial, randomBytes(32).toString('hex'), { mode: 0o600, flush: true });
    await link(partial, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(partial, { force: true });
  }
  return (await readFile(file, 'utf8')).trim();
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
