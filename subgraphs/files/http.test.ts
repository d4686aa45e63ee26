import http from 'node:http';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { deriveCallKey, MULTIPART_BODY, signCallIdentity } from '../../platform/identity/call-identity';
import type { Viewer } from '../../platform/identity/viewer';
import { silentLogger } from '../../platform/logger';
import { serveSubgraph } from '../../platform/subgraph/serve';
import { aViewer, identityOf } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { createFilesSubgraph } from './subgraph';

const UPLOAD =
  'mutation ($input: UploadFileInput!) { uploadFile(input: $input) { file { id name size } errors { code } } }';
const UPLOAD_TWO = `mutation ($a: UploadFileInput!, $b: UploadFileInput!) {
  a: uploadFile(input: $a) { file { name } errors { code } }
  b: uploadFile(input: $b) { file { name } errors { code } }
}`;
const FILE = 'query ($id: ID!) { file(id: $id) { id download { url } } }';
const LIMIT_BYTES = 1_000_000;

interface Answer {
  data: Record<string, { file: { id: string; name: string; size: number } | null; errors: { code: string }[] }>;
}

let test_: TestPlatform;
let server: Awaited<ReturnType<typeof serveSubgraph>>;
let origin: string;
let callKey: Buffer;
const amina = aViewer();
const baraka = aViewer();

beforeAll(async () => {
  test_ = await openTestPlatform({ maxFileBytes: LIMIT_BYTES, publicUrl: () => origin });
  callKey = deriveCallKey(test_.platform.secret, 'files');
  const subgraph = createFilesSubgraph(test_.platform);
  server = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
});

const signed = (viewer: Viewer | null, body: string): string =>
  `Bearer ${signCallIdentity(callKey, 'files', identityOf(viewer), body)}`;

function form(
  query: string,
  variables: object,
  files: Record<string, { path: string; content: Uint8Array | string; name: string }>,
): FormData {
  const data = new FormData();
  data.append('operations', JSON.stringify({ query, variables }));
  data.append('map', JSON.stringify(Object.fromEntries(Object.entries(files).map(([key, { path }]) => [key, [path]]))));
  for (const [key, { content, name }] of Object.entries(files))
    data.append(key, new Blob([Buffer.from(content)]), name);
  return data;
}
async function send(viewer: Viewer | null, body: FormData): Promise<Answer> {
  const headers = { authorization: signed(viewer, MULTIPART_BODY) };
  const response = await fetch(`${origin}/graphql`, { method: 'POST', headers, body });
  return (await response.json()) as Answer;
}
async function ask(viewer: Viewer, query: string, variables: object): Promise<{ data: Record<string, unknown> }> {
  const body = JSON.stringify({ query, variables });
  const headers = { authorization: signed(viewer, body), 'content-type': 'application/json' };
  return (await fetch(`${origin}/graphql`, { method: 'POST', headers, body })).json() as Promise<{
    data: Record<string, unknown>;
  }>;
}
const bytesKept = async (): Promise<string[]> =>
  (await readdir(path.join(test_.dataDirectory, 'objects'), { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
const oneFile = (content: Uint8Array | string, name = 'note.txt'): FormData =>
  form(UPLOAD, { input: { file: null } }, { 0: { path: 'variables.input.file', content, name } });

test('a file goes in by a signed multipart request and comes out by its link, for its owner only', async () => {
  const { data } = await send(amina, oneFile('Habari ya asubuhi', 'salamu – hello.txt'));
  expect(data.uploadFile).toMatchObject({ file: { name: 'salamu – hello.txt', size: 17 }, errors: [] });
  const { id } = data.uploadFile!.file!;
  const own = (await ask(amina, FILE, { id })).data as { file: { download: { url: string } } };
  expect(await (await fetch(own.file.download.url)).text()).toBe('Habari ya asubuhi');
  expect((await ask(baraka, FILE, { id })).data).toEqual({ file: null });
});

test('a file beyond the limit is refused, and the one behind it in the same request is stored', async () => {
  const before = await bytesKept();
  const { data } = await send(
    amina,
    form(
      UPLOAD_TWO,
      { a: { file: null }, b: { file: null } },
      {
        0: { path: 'variables.a.file', content: Buffer.alloc(3 * LIMIT_BYTES), name: 'large' },
        1: { path: 'variables.b.file', content: 'small', name: 'small' },
      },
    ),
  );
  expect(data).toEqual({
    a: { file: null, errors: [{ code: 'FILE_TOO_LARGE' }] },
    b: { file: { name: 'small' }, errors: [] },
  });
  expect(await bytesKept()).toHaveLength(before.length + 1);
});

test('an anonymous upload is refused', async () => {
  const answer = (await send(null, oneFile('x'))) as unknown as { errors: { extensions: { code: string } }[] };
  expect(answer.errors[0]!.extensions.code).toBe('UNAUTHENTICATED');
});

test('a body that nobody reads does not stall its connection', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  // More than socket buffers hold, less than what is still read after an answer (`lingerUnread`).
  const body = Buffer.from(await new Response(oneFile(Buffer.alloc(8_000_000))).arrayBuffer());
  const boundary = body.subarray(2, body.indexOf('\r\n')).toString();
  const connectionsOf: (number | undefined)[] = [];
  const post = (authorization: string, type: string, content: Buffer | string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = { authorization, 'content-type': type, 'content-length': Buffer.byteLength(content) };
      const request = http.request(`${origin}/graphql`, { method: 'POST', headers, agent }, (response) => {
        connectionsOf.push(request.socket?.localPort);
        response.resume().once('end', () => resolve(response.statusCode));
      });
      request.once('error', reject).end(content);
    });
  // Refused before the file is read: nobody is signed in. The next call gets the connection once the body is through.
  expect(await post(signed(null, MULTIPART_BODY), `multipart/form-data; boundary=${boundary}`, body)).toBe(200);
  const query = JSON.stringify({ query: '{ __typename }' });
  expect(await post(signed(amina, query), 'application/json', query)).toBe(200);
  expect(connectionsOf[1]).toBe(connectionsOf[0]);
  agent.destroy();
});

test.each<[what: string, body: FormData]>([
  ['no map', form(UPLOAD, {}, {})],
  [
    'a map to nowhere',
    form(UPLOAD, { input: { file: null } }, { 0: { path: 'variables.__proto__.x.y', content: 'x', name: 'x' } }),
  ],
])('a multipart body with %s is answered with an error, and the server lives', async (_what, body) => {
  const headers = { authorization: signed(amina, MULTIPART_BODY) };
  const response = await fetch(`${origin}/graphql`, { method: 'POST', headers, body });
  expect(((await response.json()) as { errors: unknown[] }).errors).toHaveLength(1);
  expect((await fetch(`${origin}/health`)).status).toBe(200);
});

test('a multipart body that is broken is 400', async () => {
  const headers = { authorization: signed(amina, MULTIPART_BODY), 'content-type': 'multipart/form-data; boundary=x' };
  for (const body of [
    '',
    'nonsense',
    '--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{\r\n--x--\r\n',
  ]) {
    expect((await fetch(`${origin}/graphql`, { method: 'POST', headers, body })).status).toBe(400);
  }
});

test.each(['the connection closes', 'the body ends without its last boundary'])(
  'when %s, neither bytes nor a row are kept',
  async (how) => {
    const before = await bytesKept();
    const boundary = 'sauti';
    const headers = {
      authorization: signed(baraka, MULTIPART_BODY),
      'content-type': `multipart/form-data; boundary=${boundary}`,
    };
    const request = http.request(`${origin}/graphql`, { method: 'POST', headers, agent: false });
    const answered = new Promise<number | string>((resolve) => {
      request.once('response', (response) => resolve(response.resume().statusCode ?? 0));
      request.once('error', (error) => resolve(error.message));
    });
    const part = (name: string): string => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`;
    request.write(
      `${part('operations')}\r\n\r\n${JSON.stringify({ query: UPLOAD, variables: { input: { file: null } } })}\r\n`,
    );
    request.write(`${part('map')}\r\n\r\n${JSON.stringify({ 0: ['variables.input.file'] })}\r\n`);
    request.write(`${part('0')}; filename="half.txt"\r\n\r\n${'half '.repeat(20_000)}`);
    await waitFor('the first bytes to be on disk', async () =>
      (await bytesKept()).some((name) => name.endsWith('.part')),
    );
    if (how === 'the connection closes') request.destroy();
    else request.end();
    await answered;
    await waitFor('the bytes to be removed', async () => (await bytesKept()).length === before.length);
    const list = await ask(baraka, '{ files { nodes { id } } }', {});
    expect(list.data).toEqual({ files: { nodes: [] } });
  },
);
