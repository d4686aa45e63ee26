import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { StorageFull, type ObjectStore } from './object-store';

const KEY = /^[a-z]{3}_[0-9a-z]{26}$/;

/**
 * Objects as files below one directory, in 256 folders by the last characters of the key (the first ones are a
 * timestamp and would put a day's objects into one folder). A file being written ends in `.part`; it gets its name only
 * after fsync, so a crash leaves no half object under a key.
 */
export function createDiskObjectStore(directory: string): ObjectStore {
  const fileOf = (key: string): string => {
    if (!KEY.test(key)) throw new Error(`Not an object key: ${JSON.stringify(key.slice(0, 40))}`);
    return path.join(directory, key.slice(-2), key);
  };

  return {
    async write(key, source) {
      const target = fileOf(key);
      const partial = `${target}.part`;
      try {
        await mkdir(path.dirname(target), { recursive: true });
        await writeDurably(partial, source);
        await rename(partial, target);
        await syncDirectory(path.dirname(target));
      } catch (error) {
        await rm(partial, { force: true });
        throw isDiskFull(error) ? new StorageFull(error) : error;
      }
    },
    async read(key, range) {
      const file = fileOf(key);
      await access(file);
      return createReadStream(file, range);
    },
    async localPath(key) {
      const file = fileOf(key);
      await access(file);
      return file;
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
      await rm(`${fileOf(key)}.part`, { force: true });
    },
    async *list() {
      for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])) {
        const key = entry.name.replace(/\.part$/, '');
        if (!entry.isFile() || !KEY.test(key)) continue; // what is not ours is left alone
        const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => undefined);
        if (found) yield { key, modifiedAt: found.mtime };
      }
    },
  };
}

async function writeDurably(file: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for await (const chunk of source) await handle.writeFile(chunk);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the new name durable too; directories cannot be synced on Windows, where renames are journaled anyway. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as { code?: string }).code ?? '');
}
