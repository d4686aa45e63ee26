import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { deriveCallKey } from '../../../platform/identity/call-identity';
import { newId } from '../../../platform/ids';
import { silentLogger } from '../../../platform/logger';
import { download, DownloadFailed } from '../../../platform/objects/download';
import { createRemoteObjects } from '../../../platform/objects/remote-objects';
import { deriveDownloadKey, signDownload } from '../../../platform/objects/signed-url';
import type { StoredObject } from '../../../platform/objects/stored-objects';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createFilesSubgraph } from '../subgraph';

/** Forwards to the byte routes; each connection is cut when it has brought as many bytes as `budgets` says next. */
interface CuttingProxy extends AsyncDisposable {
  origin: string;
  budgets: number[];
  /** The heads of the requests that came. */
  requests: string[];
}

let test_: TestPlatform;
let server: Awaited<ReturnType<typeof serveSubgraph>>;
let proxy: CuttingProxy;
let file: StoredObject;
let directory: string;
let target: string;
const CONTENT = randomBytes(3_000_000);

beforeAll(async () => {
  test_ = await openTestPlatform();
  const { platform } = test_;
  server = await serveSubgraph({
    subgraph: createFilesSubgraph(platform),
    callKey: deriveCallKey(platform.secret, 'files'),
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
  });
  const incoming = { ownerId: newId('usr'), name: 'a', maxBytes: 1e7, argumentPath: [], source: once_(CONTENT) };
  file = await platform.objects.put(incoming, (_tx, object) => Promise.resolve(object));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
});
beforeEach(async () => {
  proxy = await startCuttingProxy(server.port);
  directory = await mkdtemp(path.join(os.tmpdir(), 'sauti-fetch-'));
  target = path.join(directory, 'recording');
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function* once_(content: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield content;
}

async function startCuttingProxy(port: number): Promise<CuttingProxy> {
  const budgets: number[] = [];
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    let left = budgets.shift() ?? Infinity;
    const upstream = connect(port, '127.0.0.1');
    sockets.add(client).add(upstream);
    client.on('data', (bytes) => {
      requests.push(bytes.toString('latin1'));
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (left <= 0) return void client.destroy();
      const part = bytes.subarray(0, left);
      left -= part.length;
      client.write(part, () => left <= 0 && client.destroy());
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    origin: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    budgets,
    requests,
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
      await once(listener, 'close');
    },
  };
}

const linkOf =
  (origin: string, id: string, secret = test_.platform.secret) =>
  (): string =>
    signDownload(deriveDownloadKey(secret), origin, {
      objectId: id,
      disposition: 'ATTACHMENT',
      expiresAt: new Date(Date.now() + 60_000),
    });
const fetchFrom = (url: () => string, wanted: Partial<Parameters<typeof download>[0]> = {}): Promise<void> => {
  const { sha256, sizeBytes } = file;
  const signal = new AbortController().signal;
  return download({ url, target, sha256, sizeBytes: Number(sizeBytes), signal, retryMs: 1, ...wanted });
};
const problemOf = async (failing: Promise<void>): Promise<unknown> => {
  const error = await failing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(await readdir(directory)).toEqual([]);
  return error instanceof DownloadFailed ? [error.problem, error.retryable] : error;
};

test('a file comes whole by a signed link', async () => {
  const remote = createRemoteObjects({ baseUrl: proxy.origin, secret: test_.platform.secret });
  await remote.fetch(file, target);
  expect((await readFile(target)).equals(CONTENT)).toBe(true);
});

test('a connection that is cut is followed by another for the rest, until all is there', async () => {
  proxy.budgets.push(500_000, 0, 1_000_000, 1);
  await fetchFrom(linkOf(proxy.origin, file.id));
  expect((await readFile(target)).equals(CONTENT)).toBe(true);
  const ranges = proxy.requests.map((head) => /^range: bytes=(\d+)-/im.exec(head)?.[1] ?? null);
  expect(ranges).toHaveLength(5);
  expect(ranges[0]).toBeNull();
  const places = ranges.slice(1).map(Number);
  expect(places[0]).toBeGreaterThan(400_000);
  expect(places[1]).toBe(places[0]);
  expect(places[2]).toBeGreaterThan(places[1]! + 900_000);
  expect(proxy.requests[1]).toMatch(new RegExp(`^if-range: "${file.sha256}"`, 'im'));
});

test('a server that is never there ends as BROKEN, and may be asked again', async () => {
  proxy.budgets.push(...Array.from({ length: 20 }, () => 0));
  expect(await problemOf(fetchFrom(linkOf(proxy.origin, file.id)))).toEqual(['BROKEN', true]);
  expect(proxy.requests).toHaveLength(6);
});

test('a connection on which nothing moves counts as broken', async () => {
  proxy.budgets.push(1_000_000, 1_000_000, 1_000_000);
  const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const places = [`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, proxy.origin];
  await fetchFrom(() => linkOf(places.shift() ?? proxy.origin, file.id)(), { idleMs: 100 });
  expect((await readFile(target)).equals(CONTENT)).toBe(true);
  silent.close();
});

test('what is deleted is GONE, and a link made with another secret is REFUSED', async () => {
  expect(await problemOf(fetchFrom(linkOf(proxy.origin, newId('fil'))))).toEqual(['GONE', false]);
  const foreign = linkOf(proxy.origin, file.id, 'x'.repeat(40));
  expect(await problemOf(fetchFrom(foreign))).toEqual(['REFUSED', true]);
});

test.each([
  ['another digest', { sha256: '0'.repeat(64) }],
  ['more bytes', { sizeBytes: 10 }],
])('%s than the row says is WRONG_BYTES, and nothing is kept', async (_what, wanted) => {
  expect(await problemOf(fetchFrom(linkOf(proxy.origin, file.id), wanted))).toEqual(['WRONG_BYTES', true]);
});

test('a cancel ends it at once and leaves nothing', async () => {
  const abort = new AbortController();
  const silent = createServer((socket) => void socket.once('data', () => abort.abort(new Error('canceled'))));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = linkOf(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, file.id);
  expect(await problemOf(fetchFrom(url, { signal: abort.signal }))).toEqual(new Error('canceled'));
  silent.close();
});
