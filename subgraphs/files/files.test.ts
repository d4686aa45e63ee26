import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { anUpload, ask, askFor, aViewer } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createFilesSubgraph } from './subgraph';

const LIMIT_BYTES = 1_000_000;
const UPLOAD = `mutation ($input: UploadFileInput!) {
  uploadFile(input: $input) {
    file { id name mimeType size sha256 owner { id } createdAt }
    errors { code message path }
  }
}`;
const LIST = `query ($first: Int, $after: String, $filter: FileFilter) {
  files(first: $first, after: $after, filter: $filter) { nodes { name } pageInfo { hasNextPage endCursor } }
}`;

interface FileAnswer {
  id: string;
  name: string;
  mimeType: string;
  size: number;
  sha256: string;
}
interface UploadAnswer {
  uploadFile: { file: FileAnswer | null; errors: { code: string; message: string; path: string[] }[] };
}
interface ListAnswer {
  files: { nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

let test_: TestPlatform;
let files: Subgraph;
let amina: Viewer;
let baraka: Viewer;

beforeAll(async () => {
  test_ = await openTestPlatform({ maxFileBytes: LIMIT_BYTES, publicUrl: () => 'https://files.example' });
  files = createFilesSubgraph(test_.platform);
});
afterAll(() => test_[Symbol.asyncDispose]());
beforeEach(() => {
  amina = aViewer();
  baraka = aViewer();
});

const upload = async (
  viewer: Viewer,
  input: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<UploadAnswer['uploadFile']> =>
  (await askFor<UploadAnswer>(files, viewer, UPLOAD, { input }, signal)).uploadFile;
const storedFile = async (viewer: Viewer, content: string | Buffer, name = 'note.txt'): Promise<FileAnswer> => {
  const { file, errors } = await upload(viewer, { file: anUpload(content, name) });
  expect(errors).toEqual([]);
  return file!;
};
const list = async (viewer: Viewer, variables: Record<string, unknown> = {}): Promise<ListAnswer['files']> =>
  (await askFor<ListAnswer>(files, viewer, LIST, variables)).files;
const namesOf = async (filter: Record<string, unknown>): Promise<string[]> =>
  (await list(amina, { filter })).nodes.map((file) => file.name);
const bytesKept = async (): Promise<number> =>
  (
    await readdir(path.join(test_.dataDirectory, 'objects'), { recursive: true, withFileTypes: true }).catch(() => [])
  ).filter((entry) => entry.isFile()).length;

/** Uploads, expects a refusal that keeps neither bytes nor a row, and answers its code and path. */
async function refusal(input: Record<string, unknown>, signal?: AbortSignal): Promise<[string, string]> {
  const before = await bytesKept();
  const { file, errors } = await upload(amina, input, signal);
  expect([file, errors.length, await bytesKept(), (await list(amina)).nodes]).toEqual([null, 1, before, []]);
  return [errors[0]!.code, errors[0]!.path.join('.')];
}

/** A stream that is destroyed after its first 100 bytes, with or without a reason. */
function cutOff(reason?: Error): Readable {
  let isBegun = false;
  return new Readable({
    read() {
      if (isBegun) return void this.destroy(reason);
      isBegun = true;
      this.push(Buffer.alloc(100));
    },
  });
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

describe('uploadFile', () => {
  test('answers what the bytes say, not what the client says', async () => {
    const wav = Buffer.concat([Buffer.from('RIFF'), Buffer.alloc(4), Buffer.from('WAVEfmt '), Buffer.alloc(100)]);
    const file = await storedFile(amina, wav, 'song.mp3');
    expect(file).toMatchObject({
      name: 'song.mp3',
      mimeType: 'audio/wav',
      size: wav.length,
      owner: { id: amina.userId },
    });
    expect(file.sha256).toBe(createHash('sha256').update(wav).digest('hex'));
  });

  test('prefers the name of the input to that of the multipart request', async () => {
    const { file } = await upload(amina, { file: anUpload('x', 'blob'), name: 'Hotuba ya 1963.txt' });
    expect(file!.name).toBe('Hotuba ya 1963.txt');
  });

  test('refuses with a code and keeps nothing', async () => {
    expect(await refusal({ file: anUpload('') })).toEqual(['INVALID_INPUT', 'input.file']);
    expect(await refusal({ file: anUpload(Buffer.alloc(LIMIT_BYTES + 1)) })).toEqual(['FILE_TOO_LARGE', 'input.file']);
    expect(await refusal({ file: anUpload('x'), sha256: sha256('y') })).toEqual(['CHECKSUM_MISMATCH', 'input.file']);
    expect(await refusal({ file: anUpload('x'), sha256: 'abc' })).toEqual(['INVALID_INPUT', 'input.sha256']);
    expect(await refusal({ file: anUpload('x'), idempotencyKey: 'a\0b' })).toEqual([
      'INVALID_INPUT',
      'input.idempotencyKey',
    ]);
  });

  test('takes a promised digest that is right', async () => {
    const { file } = await upload(amina, { file: anUpload('x'), sha256: sha256('x').toUpperCase() });
    expect(file!.sha256).toBe(sha256('x'));
  });

  test('says that an upload broke off, whether it failed, was destroyed, or was cut off before it began', async () => {
    const failed = anUpload(cutOff(new Error('Request disconnected during file upload stream parsing.')));
    expect(await refusal({ file: failed })).toEqual(['INVALID_INPUT', 'input.file']);
    expect(await refusal({ file: anUpload(cutOff()) })).toEqual(['INVALID_INPUT', 'input.file']);

    const missing = anUpload('x') as ReturnType<typeof anUpload> & { promise: Promise<never> };
    missing.promise = Promise.reject(new Error('File missing in the request.'));
    missing.promise.catch(() => undefined);
    expect(await refusal({ file: missing })).toEqual(['INVALID_INPUT', 'input.file']);
  });

  test('ends with the signal while bytes are missing', async () => {
    const left = new AbortController();
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(100));
        if (!left.signal.aborted) setImmediate(() => left.abort(new Error('the client left')));
      },
    });
    expect(await refusal({ file: anUpload(endless) }, left.signal)).toEqual(['INVALID_INPUT', 'input.file']);
    expect(endless.destroyed).toBe(true);
  });

  test('reads to its end what it refuses, so that what follows in the same request still arrives', async () => {
    let sentBytes = 0;
    const source = new Readable({
      read() {
        sentBytes += 100_000;
        this.push(sentBytes > 3 * LIMIT_BYTES ? null : Buffer.alloc(100_000, 'text'));
      },
    });
    const ended = new Promise((resolve) => source.once('end', resolve));
    expect(await refusal({ file: anUpload(source) })).toEqual(['FILE_TOO_LARGE', 'input.file']);
    await ended;
  });

  test('is for people who are signed in', async () => {
    const { errors } = await ask(files, null, UPLOAD, { input: { file: anUpload('x') } });
    expect(errors![0]!.extensions!.code).toBe('UNAUTHENTICATED');
  });

  test('takes a file only from a multipart request', async () => {
    const { errors } = await ask(files, amina, UPLOAD, { input: { file: 'not a file' } });
    expect(errors![0]!.extensions!.code).toBe('BAD_USER_INPUT');
  });
});

describe('an idempotency key', () => {
  test('with the same bytes answers the first file and drops the new bytes', async () => {
    const first = await upload(amina, { file: anUpload('same'), idempotencyKey: 'k' });
    const before = await bytesKept();
    expect(await upload(amina, { file: anUpload('same'), idempotencyKey: 'k' })).toEqual(first);
    expect([await bytesKept(), (await list(amina)).nodes.length]).toEqual([before, 1]);
  });

  test('with other bytes or another name is IDEMPOTENCY_MISMATCH', async () => {
    await upload(amina, { file: anUpload('same'), idempotencyKey: 'k' });
    const before = await bytesKept();
    for (const input of [{ file: anUpload('other') }, { file: anUpload('same'), name: 'other' }]) {
      const { file, errors } = await upload(amina, { ...input, idempotencyKey: 'k' });
      expect([file, errors.map((error) => error.code)]).toEqual([null, ['IDEMPOTENCY_MISMATCH']]);
    }
    expect(await bytesKept()).toBe(before);
  });

  test('belongs to its owner', async () => {
    const first = await upload(amina, { file: anUpload('same'), idempotencyKey: 'k' });
    const other = await upload(baraka, { file: anUpload('same'), idempotencyKey: 'k' });
    expect(other.errors).toEqual([]);
    expect(other.file!.id).not.toBe(first.file!.id);
  });

  test('makes one file of six uploads at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => upload(amina, { file: anUpload('same'), idempotencyKey: 'k' })),
    );
    expect(answers.flatMap((answer) => answer.errors)).toEqual([]);
    expect(new Set(answers.map((answer) => answer.file!.id)).size).toBe(1);
    expect((await list(amina)).nodes).toHaveLength(1);
  });
});

describe('files', () => {
  test('come newest first, page by page', async () => {
    for (const name of ['a', 'b', 'c']) await storedFile(amina, name, name);
    const first = await list(amina, { first: 2 });
    expect(first.nodes.map((file) => file.name)).toEqual(['c', 'b']);
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await list(amina, { first: 2, after: first.pageInfo.endCursor });
    expect([rest.nodes.map((file) => file.name), rest.pageInfo.hasNextPage]).toEqual([['a'], false]);
  });

  test('are searched by a part of the name in which no character is a wildcard', async () => {
    for (const name of ['100% Café.wav', '1000 cafe.wav', 'a_b.wav', 'aXb.wav', 'back\\slash'])
      await storedFile(amina, name, name);
    expect(await namesOf({ search: '0% c' })).toEqual(['100% Café.wav']);
    expect(await namesOf({ search: 'A_B' })).toEqual(['a_b.wav']);
    expect(await namesOf({ search: '\\' })).toEqual(['back\\slash']);
    expect(await namesOf({ search: 'CAFÉ' })).toEqual(['100% Café.wav']);
    expect(await namesOf({ search: 'cafe\u0301' })).toEqual(['100% Café.wav']);
    expect(await namesOf({ search: '' })).toHaveLength(5);
    expect(await namesOf({ search: "' or 1=1 --" })).toEqual([]);
  });

  test('are filtered by type', async () => {
    await storedFile(amina, 'words', 'text');
    await storedFile(
      amina,
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 0]),
      'image',
    );
    expect(await namesOf({ mimeTypes: ['text/plain'] })).toEqual(['text']);
    expect(await namesOf({ mimeTypes: ['IMAGE/PNG', 'audio/wav'] })).toEqual(['image']);
    expect(await namesOf({ mimeTypes: [] })).toEqual([]);
  });

  test.each([
    { first: 0 },
    { first: 101 },
    { after: 'nonsense' },
    { filter: { search: 'a\0b' } },
    { filter: { search: 'x'.repeat(256) } },
    { filter: { mimeTypes: ['audio'] } },
    { filter: { mimeTypes: Array.from({ length: 51 }, () => 'a/b') } },
  ])('with %j are BAD_USER_INPUT', async (variables) => {
    const { errors } = await ask(files, amina, LIST, variables);
    expect(errors![0]!.extensions!.code).toBe('BAD_USER_INPUT');
  });

  test('are for people who are signed in', async () => {
    for (const query of ['{ files { nodes { id } } }', `{ file(id: "${newId('fil')}") { id } }`]) {
      expect((await ask(files, null, query)).errors![0]!.extensions!.code).toBe('UNAUTHENTICATED');
    }
  });
});

describe('somebody else', () => {
  const FILE = 'query ($id: ID!) { file(id: $id) { id name } }';
  const ENTITY =
    'query ($of: [_Any!]!) { _entities(representations: $of) { ... on File { id name download { url } } } }';

  test('is answered as if the file did not exist: by file, files and _entities', async () => {
    const { id } = await storedFile(amina, 'private');
    const representation = { __typename: 'File', id };
    expect(await askFor(files, amina, FILE, { id })).toMatchObject({ file: { id } });
    expect(await askFor(files, amina, ENTITY, { of: [representation] })).toMatchObject({ _entities: [{ id }] });

    expect(await ask(files, baraka, FILE, { id })).toEqual(await ask(files, baraka, FILE, { id: newId('fil') }));
    expect(await ask(files, baraka, FILE, { id })).toEqual({ data: { file: null } });
    expect((await list(baraka)).nodes).toEqual([]);
    expect(await ask(files, baraka, ENTITY, { of: [representation] })).toEqual({ data: { _entities: [null] } });
    for (const given of [[representation], [{ ...representation, id: newId('fil') }]]) {
      expect(await ask(files, null, ENTITY, { of: given })).toMatchObject({
        data: { _entities: [null] },
        errors: [{ path: ['_entities', 0], extensions: { code: 'UNAUTHENTICATED' } }],
      });
    }
  });

  test('learns nothing from ids that are none', async () => {
    for (const id of ['', 'fil_', 'a\0b', newId('med'), "' or 1=1"]) {
      expect(await ask(files, amina, FILE, { id })).toEqual({ data: { file: null } });
    }
  });
});

describe('File.download', () => {
  const LINK =
    'query ($id: ID!, $in: Int, $as: Disposition) { file(id: $id) { download(expiresIn: $in, disposition: $as) { url expiresAt } } }';
  interface LinkAnswer {
    file: { download: { url: string; expiresAt: string } };
  }

  test('is a link below the public address that lives 15 minutes, or as long as asked', async () => {
    const { id } = await storedFile(amina, 'x');
    for (const [variables, lifetimeS] of [
      [{ id }, 900],
      [{ id, in: 1 }, 1],
      [{ id, in: 86_400 }, 86_400],
    ] as const) {
      const beforeMs = Date.now();
      const { url, expiresAt } = (await askFor<LinkAnswer>(files, amina, LINK, variables)).file.download;
      expect(url.startsWith(`https://files.example/files/${id}?`)).toBe(true);
      expect(Number(new URL(url).searchParams.get('expires')) * 1_000).toBe(Date.parse(expiresAt));
      expect(Date.parse(expiresAt) - beforeMs).toBeGreaterThanOrEqual(lifetimeS * 1_000);
      expect(Date.parse(expiresAt) - Date.now()).toBeLessThan((lifetimeS + 1) * 1_000);
    }
  });

  test.each([0, -1, 86_401])('for %d seconds is BAD_USER_INPUT', async (seconds) => {
    const { id } = await storedFile(amina, 'x');
    const { errors } = await ask(files, amina, LINK, { id, in: seconds });
    expect(errors![0]!.extensions!.code).toBe('BAD_USER_INPUT');
  });
});
