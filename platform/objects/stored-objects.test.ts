import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isDatabaseUnavailable, UserProblemError } from '../errors';
import { newId } from '../ids';
import { silentLogger } from '../logger';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { waitFor } from '../testing/wait';
import { createDiskObjectStore } from './disk-object-store';
import type { ObjectStore } from './object-store';
import { StoredObjects, type IncomingObject, type StoredObject } from './stored-objects';

const MB = 1_000_000;
const OWNER = newId('usr');

let test_: TestPlatform;
let objects: StoredObjects;
let directory: string;

beforeAll(async () => {
  test_ = await openTestPlatform();
  objects = test_.platform.objects;
  directory = path.join(test_.dataDirectory, 'objects');
});
afterAll(() => test_[Symbol.asyncDispose]());

function incoming(source: AsyncIterable<Uint8Array>, changes: Partial<IncomingObject> = {}): IncomingObject {
  return { ownerId: OWNER, name: 'note.txt', source, maxBytes: 100 * MB, argumentPath: ['input', 'file'], ...changes };
}

async function* chunksOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) yield Buffer.from(part);
}

const answerRow = (_tx: unknown, object: StoredObject): Promise<StoredObject> => Promise.resolve(object);
const countRows = (): Promise<number> => test_.platform.database.prisma.storedObject.count();
const countFiles = async (): Promise<number> =>
  (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])).filter((entry) => entry.isFile())
    .length;

/** Puts, expects it to be refused, and that neither bytes nor a row stay behind; answers what was thrown. */
async function refused(
  object: IncomingObject,
  register: Parameters<typeof objects.put>[1] = answerRow,
): Promise<Error> {
  const before = [await countRows(), await countFiles()];
  const error = await objects.put(object, register).then(
    () => new Error('it was stored'),
    (thrown: Error) => thrown,
  );
  expect([await countRows(), await countFiles()]).toEqual(before);
  return error;
}

const codeOf = (error: Error): unknown => (error instanceof UserProblemError ? error.problem.code : error);

test('counts, hashes and sniffs what arrives, and gives it to its owner only', async () => {
  const row = await objects.put(incoming(chunksOf('Habari ', 'ya ', 'asubuhi')), answerRow);
  const text = 'Habari ya asubuhi';
  expect(row).toMatchObject({
    ownerId: OWNER,
    name: 'note.txt',
    mimeType: 'text/plain',
    sizeBytes: BigInt(text.length),
  });
  expect(row.sha256).toBe(createHash('sha256').update(text).digest('hex'));
  expect((await buffer(await objects.read(row.id))).toString()).toBe(text);
  expect(await objects.find(row.id, OWNER)).toEqual(row);
  expect(await objects.find(row.id, newId('usr'))).toBeNull();
});

test('takes a file of exactly the limit and refuses one byte more before the rest arrives', async () => {
  await expect(objects.put(incoming(chunksOf('12345'), { maxBytes: 5 }), answerRow)).resolves.toMatchObject({
    sizeBytes: 5n,
  });
  let asked = 0;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      asked++;
      yield Buffer.alloc(2);
    }
  };
  expect(codeOf(await refused(incoming(endless(), { maxBytes: 5 })))).toBe('FILE_TOO_LARGE');
  expect(asked).toBe(3);
});

test('keeps nothing of an empty file, of other bytes than promised, or of a source that breaks off', async () => {
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10_000);
    throw new Error('the client left');
  };
  expect(codeOf(await refused(incoming(chunksOf())))).toBe('INVALID_INPUT');
  expect(codeOf(await refused(incoming(chunksOf('abc'), { expectedSha256: '0'.repeat(64) })))).toBe(
    'CHECKSUM_MISMATCH',
  );
  expect(codeOf(await refused(incoming(broken())))).toMatchObject({ message: 'the client left' });
});

test('takes a promised digest in capitals', async () => {
  const expectedSha256 = createHash('sha256').update('abc').digest('hex').toUpperCase();
  await expect(objects.put(incoming(chunksOf('abc'), { expectedSha256 }), answerRow)).resolves.toMatchObject({
    sizeBytes: 3n,
  });
});

test('asks whether the type is welcome as soon as it is known, and ends the source when it is not', async () => {
  let ended = false;
  let sentBytes = 0;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        sentBytes += 1_000;
        yield Buffer.alloc(1_000, 'text ');
      }
    } finally {
      ended = true;
    }
  };
  const accept = (mimeType: string): void => {
    throw new UserProblemError({ code: 'TYPE_NOT_ALLOWED', message: `no ${mimeType}` });
  };
  const error = await refused(incoming(source(), { accept }));
  expect([codeOf(error), error.message]).toEqual(['TYPE_NOT_ALLOWED', 'no text/plain']);
  expect(ended).toBe(true);
  expect(sentBytes).toBeLessThan(10_000);
  // Also a file that is shorter than what a type is told from.
  expect(codeOf(await refused(incoming(chunksOf('short'), { accept })))).toBe('TYPE_NOT_ALLOWED');
});

test('keeps neither bytes nor row when the registration refuses', async () => {
  const error = await refused(incoming(chunksOf('abc')), async () => {
    throw new Error('not today');
  });
  expect(error.message).toBe('not today');
});

test('keeps the bytes when the connection is lost at the commit, for then nobody knows whether there is a row', async () => {
  const { database } = test_.platform;
  const [rows, files] = [await countRows(), await countFiles()];
  const lost = objects.put(incoming(chunksOf('abc')), async (tx) => {
    const [backend] = await tx.$queryRaw<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await database.prisma.$queryRaw`select pg_terminate_backend(${backend!.pid})`;
  });
  expect(isDatabaseUnavailable(await lost.catch((error: unknown) => error))).toBe(true);
  await waitFor('the pool to have replaced the lost connection', () => database.ping().then(() => true));
  expect([await countRows(), await countFiles()]).toEqual([rows, files + 1]);
  expect(await objects.sweep(0)).toBe(1);
  expect(await countFiles()).toBe(files);
});

test('sweeps bytes and unfinished parts that no row speaks of, and leaves young ones and registered ones', async () => {
  const kept = await objects.put(incoming(chunksOf('kept')), answerRow);
  const before = await countFiles();
  const orphan = async (suffix: string, modifiedAt: Date): Promise<void> => {
    const key = newId('fil');
    const file = path.join(directory, key.slice(-2), key + suffix);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'orphan');
    await utimes(file, modifiedAt, modifiedAt);
  };
  await orphan('', new Date(0));
  await orphan('.part', new Date(0));
  await orphan('.part', new Date());
  await writeFile(path.join(directory, 'README'), 'not an object');
  expect(await objects.sweep(3_600_000)).toBe(2);
  expect(await countFiles()).toBe(before + 2); // the young part and the README
  expect((await buffer(await objects.read(kept.id))).toString()).toBe('kept');
});

test('sweeps more than one page, and keeps what is registered on each', async () => {
  const kept = await objects.put(incoming(chunksOf('kept')), answerRow);
  const before = await countFiles();
  for (let n = 0; n < 1_001; n++) {
    const key = newId('fil');
    await mkdir(path.join(directory, key.slice(-2)), { recursive: true });
    await writeFile(path.join(directory, key.slice(-2), key), '');
  }
  expect(await objects.sweep(0)).toBeGreaterThanOrEqual(1_001); // other tests leave young parts behind
  expect(await countFiles()).toBeLessThanOrEqual(before);
  expect((await buffer(await objects.read(kept.id))).toString()).toBe('kept');
});

test('only one process sweeps at a time', async () => {
  const store = createDiskObjectStore(directory);
  let goOn = (): void => undefined;
  const asked = new Promise<void>((resolve) => (goOn = resolve));
  let isListing = false;
  const slow: ObjectStore = {
    ...store,
    async *list() {
      isListing = true;
      await asked;
      yield { key: newId('fil'), modifiedAt: new Date(0) };
    },
  };
  const first = new StoredObjects(test_.platform.database, slow, silentLogger).sweep(0);
  await waitFor('the first to be under way', () => isListing);
  const orphan = newId('fil');
  await store.write(orphan, chunksOf('orphan'));
  expect(await objects.sweep(0)).toBe(0);
  goOn();
  expect(await first).toBe(1);
  expect(await objects.sweep(0)).toBe(1);
});

test('names are kept as data: composed, without control and direction characters, at most 255 characters, never empty', async () => {
  const nameOf = async (name: string): Promise<string> =>
    (await objects.put(incoming(chunksOf('x'), { name }), answerRow)).name;
  expect(await nameOf('../../etc/passwd')).toBe('../../etc/passwd');
  expect(await nameOf('cafe\u0301\r\n\0.txt')).toBe('café.txt');
  expect(await nameOf('photo\u202egpj.exe')).toBe('photogpj.exe');
  expect(await nameOf('👋'.repeat(300))).toBe('👋'.repeat(255));
  expect(await nameOf(' \u0007 ')).toBe('file');
});

test('stores 50 MB and holds less than 5 MB of it at any time', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const block = randomBytes(64 * 1024);
  const total = Math.ceil((50 * MB) / block.length);
  const hash = createHash('sha256');
  collectGarbage();
  const beforeBytes = process.memoryUsage().arrayBuffers;
  let highestBytes = 0;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < total; index++) {
      if (index % 50 === 0) {
        collectGarbage();
        highestBytes = Math.max(highestBytes, process.memoryUsage().arrayBuffers - beforeBytes);
      }
      const chunk = Buffer.from(block);
      hash.update(chunk);
      yield chunk;
    }
  };
  const row = await objects.put(incoming(source(), { maxBytes: 100 * MB }), answerRow);
  expect(row.sizeBytes).toBe(BigInt(total * block.length));
  expect(row.sha256).toBe(hash.digest('hex'));
  expect(highestBytes).toBeLessThan(5 * MB);
});

describe('on a full disk', () => {
  let mountPoint: string | undefined;

  beforeAll(async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-full-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { encoding: 'utf8' });
    if (mounted.status === 0) mountPoint = folder;
    else {
      await rm(folder, { recursive: true });
      console.warn(
        `No small disk can be mounted here (${mounted.error?.message ?? mounted.stderr.trim()}); /dev/full in disk-object-store.test.ts stands in for it.`,
      );
    }
  });
  afterAll(async () => {
    if (!mountPoint) return;
    spawnSync('umount', [mountPoint]);
    await rm(mountPoint, { recursive: true });
  });

  test('a file that does not fit is refused with INSUFFICIENT_STORAGE, leaves nothing, and a smaller one still fits', async () => {
    if (!mountPoint) return;
    const small = new StoredObjects(test_.platform.database, createDiskObjectStore(mountPoint), silentLogger);
    const rows = await countRows();
    const large = incoming(chunksOf(...Array.from({ length: 30 }, () => Buffer.alloc(64 * 1024, 'text'))));
    const error = await small.put(large, answerRow).catch((thrown: Error) => thrown);
    expect(codeOf(error as Error)).toBe('INSUFFICIENT_STORAGE');
    expect(await countRows()).toBe(rows);
    await expect(small.put(incoming(chunksOf('fits')), answerRow)).resolves.toMatchObject({ sizeBytes: 4n });
    const files = (await readdir(mountPoint, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    expect(files).toHaveLength(1);
  });
});
