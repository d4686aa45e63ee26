import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId } from '../ids';
import { createDiskObjectStore } from './disk-object-store';
import { StorageFull, type ObjectStore } from './object-store';

let directory: string;
let store: ObjectStore;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'sauti-objects-'));
  store = createDiskObjectStore(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('gives back what was written, whole and in part', async () => {
  const key = newId('fil');
  await store.write(key, Readable.from([Buffer.from('hel'), Buffer.from('lo')]));
  expect((await buffer(await store.read(key))).toString()).toBe('hello');
  expect((await buffer(await store.read(key, { start: 1, end: 3 }))).toString()).toBe('ell');
  expect(await readFile(await store.localPath(key), 'utf8')).toBe('hello');
});

test('has nothing under a key that was never written, or was deleted twice', async () => {
  const key = newId('fil');
  await expect(store.read(key)).rejects.toMatchObject({ code: 'ENOENT' });
  await store.write(key, Readable.from([Buffer.from('x')]));
  await store.delete(key);
  await store.delete(key);
  await expect(store.localPath(key)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('takes no key that could leave its directory', async () => {
  for (const key of ['../../etc/passwd', 'fil_../../../../etc/passwd_____', '', 'fil_ABCDEFGHIJKLMNOPQRSTUVWXYZ']) {
    await expect(store.write(key, Readable.from(['x']))).rejects.toThrow('Not an object key');
    await expect(store.read(key)).rejects.toThrow('Not an object key');
  }
});

test('leaves nothing of a source that throws, is destroyed, or was destroyed before it began', async () => {
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(100_000);
    throw new Error('the client left');
  };
  await expect(store.write(newId('fil'), failing())).rejects.toThrow('the client left');

  const destroyed = new Readable({ read: () => setImmediate(() => destroyed.destroy()) });
  destroyed.push(Buffer.alloc(1_000));
  await expect(store.write(newId('fil'), destroyed)).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });

  const gone = Readable.from([Buffer.from('x')]).destroy();
  await expect(store.write(newId('fil'), gone)).rejects.toThrow();
  expect(await filesBelow(directory)).toEqual([]);
});

test('says StorageFull, ends the source and leaves nothing when the device is full', async () => {
  if (!existsSync('/dev/full')) return console.warn('Skipped: this system has no /dev/full.');
  const key = newId('fil');
  const partial = path.join(directory, key.slice(-2), `${key}.part`);
  await mkdir(path.dirname(partial));
  await symlink('/dev/full', partial); // every write to it fails with ENOSPC
  const source = Readable.from([Buffer.alloc(10), Buffer.alloc(10)]);
  await expect(store.write(key, source)).rejects.toBeInstanceOf(StorageFull);
  expect(source.destroyed).toBe(true);
  expect(await readdir(path.dirname(partial))).toEqual([]);
});

test('lists finished and unfinished objects with their age, and nothing that is not its own', async () => {
  const finished = newId('fil');
  const unfinished = newId('fil');
  await store.write(finished, Readable.from([Buffer.from('x')]));
  await mkdir(path.join(directory, unfinished.slice(-2)), { recursive: true });
  const partial = path.join(directory, unfinished.slice(-2), `${unfinished}.part`);
  await writeFile(partial, 'half');
  await utimes(partial, new Date(0), new Date(1_000));
  await writeFile(path.join(directory, '.DS_Store'), '');

  const listed = new Map<string, Date>();
  for await (const { key, modifiedAt } of store.list()) listed.set(key, modifiedAt);
  expect([...listed.keys()].sort()).toEqual([finished, unfinished].sort());
  expect(listed.get(unfinished)).toEqual(new Date(1_000));
});

test('keeps 50 MB as they were', async () => {
  const source = path.join(directory, 'source.bin');
  const block = Buffer.alloc(1_000_000, 'sauti');
  await writeFile(
    source,
    Array.from({ length: 50 }, () => block),
  );
  const key = newId('fil');
  await store.write(key, createReadStream(source));
  expect(await digestOf(await store.read(key))).toBe(await digestOf(createReadStream(source)));
});

async function digestOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}
