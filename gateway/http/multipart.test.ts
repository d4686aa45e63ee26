import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { SautiError } from '../../platform/errors';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import { aRunningShop, MODES, post, type RunningShop } from '../testing/gateways';
import { BOUNDARY, multipart, sendMultipart, uploadParts, type Part } from '../testing/multipart';

const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  if (authorization === 'Bearer good')
    return {
      viewer: { userId: 'u2', sessionId: 's1', scopes: [] },
      issuedAt: new Date(),
      endsAt: new Date(Date.now() + 600_000),
    };
  throw new SautiError('UNAUTHENTICATED', 'The access token is not valid.');
};
const signedIn = { authorization: 'Bearer good' };

const STORE = 'mutation ($f0: Upload!) { store(file: $f0) { name type sizeBytes sha256 owner { name } } }';
const STORE_TWO = 'mutation ($f0: Upload!, $f1: Upload) { storeTwo(first: $f0, second: $f1) { name sizeBytes } }';
const MEBIBYTE = 1024 * 1024;

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** `count` chunks of 64 KiB, none like another, with their digest. */
function someBytes(count: number): {
  chunks: AsyncGenerator<Buffer>;
  digest: () => string;
  produced: () => number;
} {
  const hash = createHash('sha256');
  let produced = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let index = 0; index < count; index++) {
      const chunk = Buffer.alloc(64 * 1024, `${index} `);
      hash.update(chunk);
      produced++;
      yield chunk;
    }
  }
  return { chunks: chunks(), digest: () => hash.digest('hex'), produced: () => produced };
}

describe.each(MODES)('uploads with subgraphs %s', (mode) => {
  let running: RunningShop;
  beforeEach(async () => {
    running = await aRunningShop(mode, {
      authenticate,
      limits: { maxFileBytes: 80 * MEBIBYTE, deadlineMs: 2_000, bodyIdleMs: 1_000 },
    });
  });
  afterEach(() => running[Symbol.asyncDispose]());

  test('a file arrives byte for byte, with its name and type, and the viewer', async () => {
    const answer = await sendMultipart(
      running.url,
      multipart(uploadParts(STORE, [{ fileName: 'Ünï %22q%22.wav', type: 'audio/wav', body: 'hello' }])),
      { headers: signedIn },
    );
    expect(answer).toEqual({
      status: 200,
      data: {
        store: {
          name: expect.stringContaining('Ünï'),
          type: 'audio/wav',
          sizeBytes: 5,
          sha256: sha256('hello'),
          owner: { name: 'Grace' },
        },
      },
    });
  });

  test('an empty file is a file', async () => {
    const answer = await sendMultipart(running.url, multipart(uploadParts(STORE, [{ body: '' }])), {
      headers: signedIn,
    });
    expect(answer.data).toEqual({ store: expect.objectContaining({ sizeBytes: 0, sha256: sha256('') }) });
  });

  test('several files in a list, and one deep in the variables', async () => {
    const answer = await sendMultipart(
      running.url,
      multipart(
        uploadParts(
          'mutation ($fs: [Upload!]!) { storeAll(files: $fs) { name sizeBytes } }',
          [{ body: 'a' }, { body: 'bb' }, { body: 'ccc' }],
          {
            variables: { fs: [null, null, null] },
            map: { 0: ['variables.fs.0'], 1: ['variables.fs.1'], 2: ['variables.fs.2'] },
          },
        ),
      ),
      { headers: signedIn },
    );
    expect(answer.data).toEqual({
      storeAll: [1, 2, 3].map((sizeBytes, index) => ({ name: `file-${index}.bin`, sizeBytes })),
    });
  });

  test('64 MiB stream through: a reader that waits holds the client back, and every byte arrives', async () => {
    await using patient = await aRunningShop(mode, { limits: { bodyIdleMs: 600_000, maxFileBytes: 80 * MEBIBYTE } });
    let read = (): void => {};
    patient.shop.hold = new Promise((resolve) => (read = resolve));
    const { chunks, digest, produced } = someBytes(1_024);
    const answer = sendMultipart(patient.url, multipart(uploadParts(STORE, [{ body: chunks }])));
    await waitFor('the call', () => patient.shop.calls.length > 0);
    // Another upload goes all the way in the meantime: the first had the time, too.
    patient.shop.hold = undefined;
    const passing = someBytes(1_024);
    await sendMultipart(patient.url, multipart(uploadParts(STORE, [{ body: passing.chunks }])));
    expect(passing.produced()).toBe(1_024);
    // What is under way fits into socket buffers; nothing in the gateway or the subgraph takes the rest.
    expect(produced() * 64 * 1024).toBeLessThan(32 * MEBIBYTE);
    read();
    expect((await answer).data).toEqual({
      store: expect.objectContaining({ sizeBytes: 64 * MEBIBYTE, sha256: digest() }),
    });
  });

  test('the deadline counts from the last byte, so a slow upload is no late answer', async () => {
    await using patient = await aRunningShop(mode, { limits: { deadlineMs: 2_000, bodyIdleMs: 600_000 } });
    async function* slowly(): AsyncGenerator<Buffer> {
      for (let index = 0; index < 6; index++) {
        yield Buffer.from('x');
        await new Promise((resolve) => setTimeout(resolve, 450));
      }
    }
    const answer = await sendMultipart(patient.url, multipart(uploadParts(STORE, [{ body: slowly() }])));
    expect(answer.data).toEqual({ store: expect.objectContaining({ sizeBytes: 6 }) });
  });

  test('a file of exactly the limit is taken, one byte more is refused and nothing is stored', async () => {
    await using small = await aRunningShop(mode, { limits: { maxFileBytes: 100_000 } });
    const fits = await sendMultipart(small.url, multipart(uploadParts(STORE, [{ body: Buffer.alloc(100_000) }])));
    expect(fits.data).toEqual({ store: expect.objectContaining({ sizeBytes: 100_000 }) });
    const over = await sendMultipart(small.url, multipart(uploadParts(STORE, [{ body: Buffer.alloc(100_001) }])));
    expect(over.data).toBeNull();
    expect(over.errors).toEqual([
      {
        message: 'A file must not be larger than 100000 bytes.',
        path: ['store'],
        extensions: expect.objectContaining({ code: 'BAD_USER_INPUT' }),
      },
    ]);
  });

  test('a body that breaks off is a failure for the reader, never a short file', async () => {
    for (const end of ['cut in the file', 'client gone'] as const) {
      const before = running.shop.calls.length;
      const parts = uploadParts('mutation ($f0: Upload!) { store(file: $f0) { sizeBytes } }', [
        { body: Buffer.alloc(200_000) },
      ]);
      const whole = Buffer.concat(await collect(multipart(parts)));
      const broken = whole.subarray(0, 150_000);
      if (end === 'cut in the file') {
        const answer = await sendMultipart(running.url, once(broken), { headers: signedIn });
        expect(answer.data ?? null).toBeNull();
        expect(answer.errors?.length).toBeGreaterThan(0);
      } else {
        const leaving = new AbortController();
        const sent = sendMultipart(running.url, forEver(broken), { headers: signedIn, signal: leaving.signal });
        await waitFor('the call', () => running.shop.calls.length > before);
        leaving.abort();
        await expect(sent).rejects.toThrow();
      }
    }
    expect((await post(running.url, '{ who }')).status).toBe(200);
  });

  test('a file nobody reads does not keep the answer back', async () => {
    const { chunks } = someBytes(128);
    const answer = await sendMultipart(
      running.url,
      multipart(uploadParts('mutation ($f0: Upload!) { refuse(file: $f0) }', [{ body: chunks }])),
      { headers: signedIn },
    );
    expect(answer.data).toEqual({ refuse: null });
    expect(answer.errors?.[0]).toMatchObject({ message: 'No files today.', extensions: { code: 'FORBIDDEN' } });
  });

  test('a refusal does not wait for a client that stalls', async () => {
    await using patient = await aRunningShop(mode, { limits: { bodyIdleMs: 600_000 } });
    for (const cut of [150_000, 430]) {
      const parts = uploadParts('mutation ($f0: Upload!) { refuse(file: $f0) }', [{ body: Buffer.alloc(200_000) }]);
      const whole = Buffer.concat(await collect(multipart(parts)));
      const answer = await sendMultipart(patient.url, forEver(whole.subarray(0, cut)));
      expect(answer.errors?.[0]?.message).toBe('No files today.');
    }
  });

  test('a file the map promises and the body lacks fails the upload', async () => {
    const answer = await sendMultipart(
      running.url,
      multipart(uploadParts(STORE_TWO, [{ body: 'a' }, { body: 'b' }]).slice(0, 3)),
      { headers: signedIn },
    );
    expect(answer.data).toBeNull();
    expect(answer.errors).toEqual([
      {
        message: 'The body has no file for an entry of its map.',
        path: ['storeTwo'],
        extensions: expect.objectContaining({ code: 'BAD_USER_INPUT' }),
      },
    ]);
  });
});

async function collect(bytes: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const chunk of bytes) all.push(chunk);
  return all;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Bytes, and then silence on an open connection. */
async function* forEver(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
  await new Promise(() => {});
}

describe('a multipart request that is no good', () => {
  let running: RunningShop;
  beforeAll(async () => {
    running = await aRunningShop('in process', { authenticate, limits: { bodyIdleMs: 400, maxFileBytes: MEBIBYTE } });
  });
  afterAll(async () => {
    // After all of it the gateway is as well as before.
    expect(await post(running.url, '{ who }')).toEqual({ status: 200, data: { who: null } });
    await running[Symbol.asyncDispose]();
  });

  const operations = (variables: unknown): Part => ({
    name: 'operations',
    body: JSON.stringify({ query: STORE, variables }),
  });
  const map = (value: unknown): Part => ({ name: 'map', body: JSON.stringify(value) });
  const file: Part = { name: '0', fileName: 'a.txt', body: 'content' };
  const good = operations({ f0: null });
  const deep = `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`;

  test.each<[string, Part[], number]>([
    ['no parts', [], 400],
    ['only operations', [good], 400],
    ['map before operations', [map({ 0: ['variables.f0'] }), good, file], 400],
    ['file before map', [good, file, map({ 0: ['variables.f0'] })], 400],
    ['file before everything', [file, good, map({ 0: ['variables.f0'] })], 400],
    ['another first field', [{ name: 'query', body: '{ who }' }, good], 400],
    ['operations twice', [good, good, file], 400],
    ['operations that are no JSON', [{ name: 'operations', body: '{"query"' }, map({}), file], 400],
    ['operations that are a batch', [{ name: 'operations', body: '[{"query":"{ who }"}]' }, map({}), file], 400],
    ['operations that are null', [{ name: 'operations', body: 'null' }, map({}), file], 400],
    [
      'operations over 100 KB',
      [{ name: 'operations', body: `{"query":"${'x'.repeat(110_000)}"}` }, map({}), file],
      413,
    ],
    ['operations nested 3 000 deep', [{ name: 'operations', body: deep }, map({ 0: ['variables.f0'] }), file], 400],
    ['a map that is no JSON', [good, { name: 'map', body: '{' }, file], 400],
    ['a map that is a list', [good, map([['variables.f0']]), file], 400],
    ['a map over 20 KB', [good, map({ 0: [`variables.${'x'.repeat(25_000)}`] }), file], 413],
    ['a map entry that is no list', [good, map({ 0: 'variables.f0' }), file], 400],
    ['a map entry without paths', [good, map({ 0: [] }), file], 400],
    [
      'one file at two places',
      [operations({ f0: null, f1: null }), map({ 0: ['variables.f0', 'variables.f1'] }), file],
      400,
    ],
    ['two files at one place', [good, map({ 0: ['variables.f0'], 1: ['variables.f0'] }), file], 400],
    ['a path that does not exist', [good, map({ 0: ['variables.other'] }), file], 400],
    ['a path to a value', [operations({ f0: 'taken' }), map({ 0: ['variables.f0'] }), file], 400],
    ['a path outside variables', [good, map({ 0: ['operationName'] }), file], 400],
    ['the path of the query', [good, map({ 0: ['query'] }), file], 400],
    ['the path of all variables', [good, map({ 0: ['variables'] }), file], 400],
    ['a path through __proto__', [good, map({ 0: ['variables.__proto__.polluted'] }), file], 400],
    [
      'a path through constructor.prototype',
      [good, map({ 0: ['variables.constructor.prototype.polluted'] }), file],
      400,
    ],
    [
      'a path to an inherited name',
      [operations({ a: { b: null } }), map({ 0: ['variables.a.b.toString'] }), file],
      400,
    ],
    ['a path into a list by a name', [operations({ f0: [null] }), map({ 0: ['variables.f0.length'] }), file], 400],
    ['a path of 10 000 segments', [good, map({ 0: [`variables${'.a'.repeat(9_000)}`] }), file], 400],
    [
      '11 files',
      [
        operations(Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`f${index}`, null]))),
        map(Object.fromEntries(Array.from({ length: 11 }, (_, index) => [index, [`variables.f${index}`]]))),
        file,
      ],
      413,
    ],
    [
      'a mutation that is unknown',
      [
        {
          name: 'operations',
          body: '{"query":"mutation ($f0: Upload!) { nothing(file: $f0) }","variables":{"f0":null}}',
        },
        map({ 0: ['variables.f0'] }),
        file,
      ],
      400,
    ],
    [
      'a file for a variable that takes none',
      [
        { name: 'operations', body: '{"query":"query ($f0: ID!) { user(id: $f0) { id } }","variables":{"f0":null}}' },
        map({ 0: ['variables.f0'] }),
        file,
      ],
      400,
    ],
  ])('%s', async (_, parts, status) => {
    const answer = await sendMultipart(running.url, multipart(parts), { headers: signedIn });
    expect(answer.status).toBe(status);
    expect(answer.errors?.[0]).toEqual({
      message: expect.any(String),
      extensions: expect.objectContaining({ code: expect.any(String) }),
      ...(answer.errors?.[0]?.locations ? { locations: expect.anything() } : {}),
    });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  const text = (body: string) => once(Buffer.from(body));
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{"query":"mutation ($f0: Upload!) { store(file: $f0) { sizeBytes } }","variables":{"f0":null}}\r\n--${BOUNDARY}\r\ncontent-disposition: form-data; name="map"\r\n\r\n{"0":["variables.f0"]}\r\n`;

  test.each<[string, string]>([
    ['bytes that are no multipart', 'x'.repeat(1_000)],
    ['nothing', ''],
    ['a malformed part head', `--${BOUNDARY}\r\n:::\r\n\r\nx\r\n--${BOUNDARY}--\r\n`],
    ['two malformed part heads', `--${BOUNDARY}\r\n\x01\r\n\r\nx\r\n--${BOUNDARY}\r\n\x02\r\n\r\nx\r\n`],
    [
      'a part head of 100 KB',
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${'n'.repeat(100_000)}"\r\n\r\nx\r\n--${BOUNDARY}--\r\n`,
    ],
    ['a part head without end', `--${BOUNDARY}\r\ncontent-disposition: form-data; name="operations"`],
    ['only content-disposition', `--${BOUNDARY}\r\ncontent-disposition: form-data\r\n\r\nx\r\n--${BOUNDARY}--\r\n`],
    ['parts without names', `--${BOUNDARY}\r\n\r\nx\r\n`.repeat(50)],
    ['20 000 tiny fields', `--${BOUNDARY}\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n`.repeat(20_000)],
    [
      '2 000 files',
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="a"; filename="f"\r\n\r\nx\r\n`.repeat(2_000),
    ],
    ['a body that ends after operations', head.slice(0, 200)],
  ])('%s', async (_, body) => {
    const answer = await sendMultipart(running.url, text(body), { headers: signedIn });
    expect([400, 413]).toContain(answer.status);
    expect(answer.errors?.[0]?.message).toEqual(expect.any(String));
  });

  test.each<[string, string]>([
    ['no boundary', 'multipart/form-data'],
    ['an empty boundary', 'multipart/form-data; boundary='],
    ['a boundary of blanks', 'multipart/form-data; boundary="      "'],
    ['a boundary of 9 000 bytes', `multipart/form-data; boundary=${'b'.repeat(9_000)}`],
    ['another multipart type', 'multipart/mixed; boundary=a'],
    ['a broken content type', 'multipart/form-data; boundary="a'],
  ])('%s', async (_, type) => {
    const answer = await sendMultipart(running.url, text(head), { headers: { ...signedIn, 'content-type': type } });
    expect([400, 415]).toContain(answer.status);
  });

  test('a body that stalls before its map is refused, and one that stalls in a file fails', async () => {
    expect(
      (await sendMultipart(running.url, forEver(Buffer.from(head.slice(0, 100))), { headers: signedIn })).status,
    ).toBe(408);
    const inFile = `${head}--${BOUNDARY}\r\ncontent-disposition: form-data; name="0"; filename="f"\r\n\r\nsome`;
    const answer = await sendMultipart(running.url, forEver(Buffer.from(inFile)), { headers: signedIn });
    expect(answer.data).toBeNull();
  });

  test.each<[string, Record<string, string>, number]>([
    ['without the preflight header', { ...signedIn, 'apollo-require-preflight': '' }, 400],
    ['without a token', {}, 401],
    ['with a bad token', { authorization: 'Bearer bad' }, 401],
    ['compressed', { ...signedIn, 'content-encoding': 'gzip' }, 415],
  ])('%s it is refused before its body is read', async (_, headers, status) => {
    const answer = await sendMultipart(running.url, forEver(Buffer.from('--')), { headers });
    expect(answer.status).toBe(status);
  });

  test('a client that goes on sending after the answer is cut off', async () => {
    const url = new URL(running.url);
    const closed = new Promise<number>((resolve) => {
      let sent = 0;
      const socket = connect(Number(url.port), url.hostname, () => {
        socket.write(
          `POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=${BOUNDARY}\r\ntransfer-encoding: chunked\r\n\r\n`,
        );
        const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')]);
        const pump = (): void => {
          while (!socket.destroyed && sent < 200 * MEBIBYTE) {
            sent += 65_536;
            if (!socket.write(chunk)) return void socket.once('drain', pump);
          }
        };
        pump();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(sent));
    });
    expect(await closed).toBeLessThan(100 * MEBIBYTE);
  });
});
