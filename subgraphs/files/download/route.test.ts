import { readdirSync, readlinkSync, unlinkSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import { deriveCallKey } from '../../../platform/identity/call-identity';
import { silentLogger } from '../../../platform/logger';
import { deriveDownloadKey, signBundle, signDownload, type Disposition } from '../../../platform/objects/signed-url';
import type { StoredObject } from '../../../platform/objects/stored-objects';
import { newId } from '../../../platform/ids';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { waitFor } from '../../../platform/testing/wait';
import { createFilesSubgraph } from '../subgraph';

const CONTENT = randomBytes(100_000);

let test_: TestPlatform;
let server: Awaited<ReturnType<typeof serveSubgraph>>;
let origin: string;
let file: StoredObject;

beforeAll(async () => {
  test_ = await openTestPlatform();
  const { platform } = test_;
  const callKey = deriveCallKey(platform.secret, 'files');
  server = await serveSubgraph({
    subgraph: createFilesSubgraph(platform),
    callKey,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
  });
  origin = `http://127.0.0.1:${server.port}`;
  file = await stored(CONTENT, 'sound.bin');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
});

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield content;
}
function stored(content: Uint8Array | string, name: string, partOf?: string): Promise<StoredObject> {
  const incoming = {
    ownerId: newId('usr'),
    name,
    source: once(Buffer.from(content)),
    maxBytes: 100_000_000,
    argumentPath: [],
    partOf,
  };
  return test_.platform.objects.put(incoming, (_tx, object) => Promise.resolve(object));
}
function linkTo(objectId: string, disposition: Disposition = 'ATTACHMENT', lifetimeMs = 60_000): string {
  const grant = { objectId, disposition, expiresAt: new Date(Date.now() + lifetimeMs) };
  return signDownload(deriveDownloadKey(test_.platform.secret), origin, grant);
}
const get = (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(url, { method, headers });
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

test('the link alone is enough to get the bytes and what is known about them', async () => {
  const response = await get(linkTo(file.id));
  expect(response.status).toBe(200);
  expect((await bytesOf(response)).equals(CONTENT)).toBe(true);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'accept-ranges': 'bytes',
    'access-control-allow-origin': '*',
    'content-disposition': `attachment; filename="sound.bin"; filename*=UTF-8''sound.bin`,
    'content-length': '100000',
    'content-security-policy': "sandbox; default-src 'none'",
    'content-type': 'application/octet-stream',
    'cross-origin-resource-policy': 'cross-origin',
    etag: `"${file.sha256}"`,
    'x-content-type-options': 'nosniff',
  });
});

test('HEAD tells the same without the bytes', async () => {
  const [head, whole] = [await get(linkTo(file.id), {}, 'HEAD'), await get(linkTo(file.id))];
  await whole.arrayBuffer();
  expect(head.status).toBe(200);
  const told = (response: Response): object => {
    // `fetch` closes its connection after HEAD; the age of the link differs by a second at times.
    const ofTheConnection = ['connection', 'keep-alive', 'date', 'cache-control'];
    return Object.fromEntries([...response.headers].filter(([name]) => !ofTheConnection.includes(name)));
  };
  expect(told(head)).toEqual(told(whole));
  expect((await bytesOf(head)).length).toBe(0);
});

test('a range is answered with its part', async () => {
  const parts: [range: string, start: number, end: number][] = [
    ['bytes=0-0', 0, 0],
    ['bytes=500-', 500, 99_999],
    ['bytes=-10', 99_990, 99_999],
    ['bytes=99000-200000', 99_000, 99_999],
  ];
  for (const [range, start, end] of parts) {
    const response = await get(linkTo(file.id), { range });
    expect([response.status, response.headers.get('content-range')]).toEqual([206, `bytes ${start}-${end}/100000`]);
    expect(response.headers.get('content-length')).toBe(String(end - start + 1));
    expect((await bytesOf(response)).equals(CONTENT.subarray(start, end + 1))).toBe(true);
  }
});

test('a range beyond the end is 416 with the size', async () => {
  const response = await get(linkTo(file.id), { range: 'bytes=100000-' });
  expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */100000']);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
});

test('a thousand ranges are answered with the file, once', async () => {
  const response = await get(linkTo(file.id), {
    range: `bytes=${Array.from({ length: 1_000 }, () => '0-').join(',')}`,
  });
  expect([response.status, (await bytesOf(response)).length]).toEqual([200, 100_000]);
});

test('If-Range honours the range for the bytes it names, and sends all of any other', async () => {
  const range = 'bytes=0-9';
  const statusOf = async (ifRange: string): Promise<number> => {
    const response = await get(linkTo(file.id), { range, 'if-range': ifRange });
    await response.arrayBuffer();
    return response.status;
  };
  expect(await statusOf(`"${file.sha256}"`)).toBe(206);
  expect(await statusOf(`W/"${file.sha256}"`)).toBe(200);
  expect(await statusOf('"other"')).toBe(200);
  expect(await statusOf(new Date().toUTCString())).toBe(200);
});

test('changed, expired and unknown links are refused in the same way', async () => {
  const changed = linkTo(file.id).replace(/signature=(.)/, (_all, first) => `signature=${first === 'A' ? 'B' : 'A'}`);
  const refusals = [
    changed,
    linkTo(file.id, 'ATTACHMENT', -1_000),
    linkTo(file.id).replace(file.id, newId('fil')),
    `${origin}/files/${file.id}`,
    `${origin}/files/unknown`,
    `${origin}/files/`,
    `${origin}/files/..%2f..%2fetc%2fpasswd`,
  ];
  const answers = await Promise.all(
    refusals.map(async (url) => {
      const response = await get(url, { range: 'bytes=0-1' });
      return [response.status, response.headers.get('content-type'), await response.text()];
    }),
  );
  expect(answers[0]![0]).toBe(403);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

test('a good link to a file that is gone is 404', async () => {
  const gone = await stored('x', 'gone.txt');
  await test_.platform.database.prisma.storedObject.delete({ where: { id: gone.id } });
  const response = await get(linkTo(gone.id));
  expect([response.status, await response.json()]).toMatchObject([
    404,
    { errors: [{ extensions: { code: 'NOT_FOUND' } }] },
  ]);
});

test('a file whose bytes are gone is an error before any byte is sent', async () => {
  const broken = await stored('x', 'broken.txt');
  const bytes = await test_.platform.objects.localPath(broken.id);
  unlinkSync(bytes);
  const response = await get(linkTo(broken.id));
  expect([response.status, await response.json()]).toMatchObject([
    500,
    { errors: [{ extensions: { code: 'INTERNAL' } }] },
  ]);
});

describe('a link to a playlist', () => {
  const bundleOf = (main: StoredObject, lifetimeMs = 60_000): string => {
    const grant = { objectId: main.id, expiresAt: new Date(Date.now() + lifetimeMs) };
    return signBundle(deriveDownloadKey(test_.platform.secret), origin, grant, main.name);
  };
  const names = ['main.m3u8', '360p.mp4', 'a name, with %.vtt'];
  let main: StoredObject;
  beforeAll(async () => {
    main = await stored('#EXTM3U\n360p.mp4\n', names[0]!);
    for (const name of names.slice(1)) await stored(`the bytes of ${name}`, name, main.id);
  });

  test('reads what the playlist names, with the path alone', async () => {
    for (const name of names) {
      const response = await get(new URL(encodeURIComponent(name), bundleOf(main)).href, { range: 'bytes=0-3' });
      expect([name, response.status, response.headers.get('access-control-allow-origin')]).toEqual([name, 206, '*']);
      expect(response.headers.get('content-disposition')).toMatch(/^inline;/);
      expect(await response.text()).toBe(name === main.name ? '#EXT' : 'the ');
    }
    const playlist = await get(bundleOf(main));
    expect([playlist.headers.get('content-type'), await playlist.text()]).toEqual([
      'application/vnd.apple.mpegurl',
      '#EXTM3U\n360p.mp4\n',
    ]);
  });

  test('reads nothing else: no part of another object, no file of the same name, no path', async () => {
    const other = await stored('#EXTM3U', 'other.m3u8');
    await stored('of the other', 'only-there.mp4', other.id);
    await stored('of nobody', 'alone.mp4');
    for (const name of ['only-there.mp4', 'other.m3u8', 'alone.mp4', other.id, '..%2f..%2fetc%2fpasswd', '%25']) {
      const response = await get(new URL(name, bundleOf(main)).href);
      expect([name, response.status]).toEqual([name, 404]);
      await response.arrayBuffer();
    }
  });

  test('is refused like any other when it was changed or has expired', async () => {
    const moved = bundleOf(main).replace(main.id, file.id);
    const refusals = [bundleOf(main, -1_000), moved, bundleOf(main).replace('main.m3u8', 'x/main.m3u8')];
    for (const url of refusals) {
      const response = await get(url);
      expect([url, response.status]).toEqual([url, 403]);
      await response.arrayBuffer();
    }
  });
});

test('other methods are refused, and a preflight for a range is allowed', async () => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const response = await get(linkTo(file.id), {}, method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    await response.arrayBuffer();
  }
  const preflight = await get(
    linkTo(file.id),
    { 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' },
    'OPTIONS',
  );
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('range');
});

test.each([
  ['<!doctype html><script>alert(1)</script>', 'page.html'],
  ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'image.svg'],
  ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', 'page.xml'],
  ['alert(1)', 'script.js'],
])('what could run as a page is served as text: %s', async (content, name) => {
  const response = await get(linkTo((await stored(content, name)).id, 'INLINE'));
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(response.headers.get('content-disposition')).toMatch(/^inline;/);
  expect(await response.text()).toBe(content);
});

test.each([
  ['Hotuba "1963" 100%.wav', 'filename="Hotuba _1963_ 100_.wav"; filename*=UTF-8\'\'Hotuba%20%221963%22%20100%25.wav'],
  ["café (l'été)*.wav", "filename=\"caf_ (l'_t_)*.wav\"; filename*=UTF-8''caf%C3%A9%20%28l%27%C3%A9t%C3%A9%29%2a.wav"],
  ['../..\\x', 'filename=".._.._x"; filename*=UTF-8\'\'.._.._x'],
  ['👋.txt', 'filename="_.txt"; filename*=UTF-8\'\'%F0%9F%91%8B.txt'],
  ['a\r\nset-cookie: x=1', 'filename="aset-cookie: x=1"; filename*=UTF-8\'\'aset-cookie%3A%20x%3D1'],
])('the name %j survives as RFC 6266 allows', async (name, expected) => {
  const response = await get(linkTo((await stored('x', name)).id), {}, 'HEAD');
  expect(response.headers.get('content-disposition')).toBe(`attachment; ${expected}`);
});

test('reads no faster than the client, and lets go of the file when the client leaves', async () => {
  const large = await stored(Buffer.alloc(20_000_000, 'sauti'), 'large.txt');
  const path = await test_.platform.objects.localPath(large.id);
  // Linux shows what is open; elsewhere that the process lives on is all there is to see.
  const isOpen = (): boolean =>
    process.platform === 'linux' &&
    readdirSync('/proc/self/fd').some((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`) === path;
      } catch {
        return false; // closed in between
      }
    });
  const response = await new Promise<IncomingMessage>((resolve) => void http.get(linkTo(large.id), resolve));
  if (process.platform === 'linux') await waitFor('the file to be open', isOpen);
  response.destroy();
  await waitFor('the file to be closed', () => !isOpen());
  expect((await get(linkTo(file.id), {}, 'HEAD')).status).toBe(200);
});
