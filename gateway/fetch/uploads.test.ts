import { createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { Upload } from 'graphql-upload-minimal';
import { SautiError } from '../../platform/errors';
import { waitFor } from '../../platform/testing/wait';
import type { ReceivedUpload } from '../http/file-part';
import { always, aRawSubgraph } from '../testing/raw-subgraph';
import { aCall, aTransport } from '../testing/transport';
import type { SubgraphCall } from './transport';

const ONE = { data: { n: 1 } };

/** A mutation with one file, whose bytes come from this stream. */
function anUpload(stream: Readable, options: Partial<SubgraphCall> = {}): SubgraphCall {
  const upload = new Upload() as ReceivedUpload;
  upload.resolve({
    filename: 'a.bin',
    mimetype: 'a/b',
    encoding: '7bit',
    fieldName: '0',
    createReadStream: () => stream,
  } as never);
  return aCall({ kind: 'mutation', hasUploads: true, variables: () => ({ file: upload }), ...options });
}

/** Takes connections and reads nothing from them. */
async function aDeafSubgraph() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.pause().on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a slow client is waited for beyond the deadline, which counts when its file is in', async () => {
  await using raw = await aRawSubgraph(always(ONE));
  await using silent = await aRawSubgraph(() => {});
  await using transport = aTransport(raw.url, { deadlineMs: { query: 50, mutation: 50 } });
  await using other = aTransport(silent.url, { deadlineMs: { query: 500, mutation: 500 } });
  const file = new PassThrough();
  file.write('first');
  const answer = transport.execute(anUpload(file));
  await waitFor('the first bytes to be taken', () => file.readableLength === 0);
  // Far longer than the deadline of the upload, and nobody sleeps.
  await expect(other.execute(aCall())).rejects.toMatchObject({ code: 'SUBGRAPH_TIMEOUT' });
  file.end('last');
  expect(await answer).toEqual(ONE);
  expect(raw.requests[0]?.body).toContain('firstlast');
});

test('a subgraph that does not answer when the file is in is cut', async () => {
  await using raw = await aRawSubgraph(() => {});
  await using transport = aTransport(raw.url, { deadlineMs: { query: 60_000, mutation: 100 } });
  await expect(transport.execute(anUpload(Readable.from([Buffer.from('all')])))).rejects.toMatchObject({
    code: 'SUBGRAPH_TIMEOUT',
  });
  expect(raw.requests[0]?.body).toContain('all');
});

test('a subgraph that takes no more of a file is cut, and so is the file', async () => {
  await using deaf = await aDeafSubgraph();
  await using transport = aTransport(deaf.url, { deadlineMs: { query: 60_000, mutation: 200 } });
  let readBytes = 0;
  const endless = new Readable({
    read() {
      readBytes += 65_536;
      this.push(Buffer.alloc(65_536));
    },
  });
  await expect(transport.execute(anUpload(endless))).rejects.toMatchObject({ code: 'SUBGRAPH_TIMEOUT' });
  await waitFor('the file to be let go', () => endless.destroyed);
  expect(readBytes).toBeLessThan(64 * 1024 ** 2); // what the system's buffers take, and no more
});

test('a file that fails is told as what it is, and the subgraph sees no end of the body', async () => {
  let socket: Socket | undefined;
  const server = createServer((connection) => void (socket = connection.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using transport = aTransport(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
  const file = new PassThrough();
  file.write('half');
  const answer = transport.execute(anUpload(file));
  await waitFor('the connection', () => socket);
  file.destroy(new SautiError('BAD_USER_INPUT', 'The file is too large.'));
  await expect(answer).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: 'The file is too large.' });
  await waitFor('the connection to close', () => socket?.destroyed);
  await new Promise((resolve) => server.close(resolve));
});

test('an answer before the end of the file counts, and the rest is not sent', async () => {
  const server = createServer((socket) =>
    socket
      .on('error', () => {})
      .once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{"data":{"n":1}}');
      }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using transport = aTransport(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
  const file = new PassThrough();
  file.write('half');
  expect(await transport.execute(anUpload(file))).toEqual(ONE);
  file.write('more');
  await waitFor('the file to be let go', () => file.destroyed);
  await new Promise((resolve) => server.close(resolve));
});

test('a client that leaves while its file is under way closes the connection', async () => {
  let socket: Socket | undefined;
  const server = createServer((connection) => void (socket = connection.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using transport = aTransport(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
  const leaving = new AbortController();
  const answer = transport.execute(anUpload(new PassThrough(), { signal: leaving.signal }));
  await waitFor('the connection', () => socket);
  leaving.abort(new Error('left'));
  await expect(answer).rejects.toThrow('left');
  await waitFor('the connection to close', () => socket?.destroyed);
  await new Promise((resolve) => server.close(resolve));
});
