import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { StreamFrame, StreamRequest, StreamTransport } from './transport';
import { TRANSPORTS } from './transports';

const frame = (n: number, cursor?: string): StreamFrame => ({
  data: { n },
  ...(cursor === undefined ? {} : { extensions: { cursor } }),
});

interface Peer extends AsyncDisposable {
  endpoint: string;
}

async function serve(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<Peer> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => answer(request, body, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Frames that arrived, and how it ended. */
async function read(
  transport: StreamTransport,
  peer: Peer,
  cursor?: string,
): Promise<{ frames: StreamFrame[]; end: string }> {
  const request: StreamRequest = {
    endpoint: peer.endpoint,
    token: 't',
    query: 'subscription { n }',
    variables: {},
    cursor,
  };
  const frames: StreamFrame[] = [];
  try {
    for await (const each of transport(request, AbortSignal.timeout(10_000))) frames.push(each);
    return { frames, end: 'complete' };
  } catch (error) {
    return { frames, end: (error as Error).message };
  }
}

describe('server-sent events', () => {
  const head = { 'content-type': 'text/event-stream' };

  test('are read whole however they are cut into pieces, comments aside, and their id is the cursor', async () => {
    const text = `: hello\n\nevent: next\nid: c1\ndata: {"data":\ndata: {"n":1}}\n\nevent: next\r\ndata: ${JSON.stringify(frame(2, 'c2'))}\r\n\r\nevent: complete\ndata:\n\n`;
    await using peer = await serve((_request, _body, response) => {
      response.writeHead(200, head);
      for (const character of text) response.write(character);
      response.end();
    });
    expect(await read(TRANSPORTS.sse, peer)).toEqual({ frames: [frame(1, 'c1'), frame(2, 'c2')], end: 'complete' });
  });

  test('are asked for with the last cursor', async () => {
    await using peer = await serve((request, body, response) => {
      const { accept, authorization } = request.headers;
      const seen = {
        accept,
        authorization,
        last: request.headers['last-event-id'],
        query: (JSON.parse(body) as StreamRequest).query,
      };
      response.writeHead(200, head).end(`event: next\ndata: ${JSON.stringify({ data: seen })}\n\nevent: complete\n\n`);
    });
    const { frames } = await read(TRANSPORTS.sse, peer, 'c7');
    expect(frames).toEqual([
      { data: { accept: 'text/event-stream', authorization: 'Bearer t', last: 'c7', query: 'subscription { n }' } },
    ]);
  });

  test('that break off, or that are refused, are no end', async () => {
    await using broken = await serve((_request, _body, response) => {
      response.writeHead(200, head).write(`event: next\ndata: ${JSON.stringify(frame(1))}\n\nevent: next\ndata: {`);
      setImmediate(() => response.destroy());
    });
    const { frames, end } = await read(TRANSPORTS.sse, broken);
    expect(frames).toEqual([frame(1)]);
    expect(end).toMatch(/^closed/);
    await using refusing = await serve((_request, _body, response) => void response.writeHead(406).end('no'));
    expect(await read(TRANSPORTS.sse, refusing)).toEqual({ frames: [], end: '406 no' });
  });
});

describe('multipart', () => {
  const head = { 'content-type': 'multipart/mixed;boundary="-";subscriptionSpec=1.0' };
  const part = (value: object): string => `\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(value)}\r\n---`;

  test('parts are read however they are cut, heartbeats aside, to the last boundary', async () => {
    const text = `\r\n---${part({ payload: frame(1, 'c1') })}${part({})}${part({ payload: frame(2, 'c2') })}--\r\n`;
    await using peer = await serve((_request, _body, response) => {
      response.writeHead(200, head);
      for (const character of text) response.write(character);
      response.end();
    });
    expect(await read(TRANSPORTS.multipart, peer)).toEqual({
      frames: [frame(1, 'c1'), frame(2, 'c2')],
      end: 'complete',
    });
  });

  test('a part is given before the delimiter behind it has come', async () => {
    await using peer = await serve((_request, _body, response) => {
      response.writeHead(200, head).write(`---\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":{"n":1}}}`);
    });
    const request = {
      endpoint: peer.endpoint,
      token: 't',
      query: 'subscription { n }',
      variables: {},
      cursor: undefined,
    };
    const frames = TRANSPORTS.multipart(request, AbortSignal.timeout(10_000));
    expect(await frames.next()).toEqual({ done: false, value: frame(1) });
    await frames.return();
  });

  test('a body that breaks off, and errors of the transport, are no end', async () => {
    await using broken = await serve((_request, _body, response) => {
      response.writeHead(200, head).end(`---${part({ payload: frame(1) })}`);
    });
    expect(await read(TRANSPORTS.multipart, broken)).toMatchObject({
      frames: [frame(1)],
      end: expect.stringMatching(/^closed/),
    });
    await using failing = await serve((_request, _body, response) => {
      response.writeHead(200, head).end(`---${part({ payload: null, errors: [{ message: 'gone' }] })}--`);
    });
    expect((await read(TRANSPORTS.multipart, failing)).end).toContain('gone');
  });
});

describe('graphql-transport-ws', () => {
  async function serveSockets(
    answer: (
      message: { type: string; payload?: unknown },
      send: (message: object) => void,
      close: (code: number) => void,
    ) => void,
  ): Promise<Peer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0]! });
    await once(server, 'listening');
    server.on('connection', (socket) => {
      const send = (message: object): void => socket.send(JSON.stringify(message));
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { type: string };
        if (message.type === 'connection_init') send({ type: 'connection_ack' });
        else answer(message, send, (code) => socket.close(code, 'why'));
      });
    });
    return {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
      async [Symbol.asyncDispose]() {
        for (const client of server.clients) client.terminate();
        server.close();
        await once(server, 'close');
      },
    };
  }

  test('the cursor is sent as an extension, and frames are read until "complete"', async () => {
    const subscribed: unknown[] = [];
    await using peer = await serveSockets(({ type, payload }, send) => {
      if (type !== 'subscribe') return;
      subscribed.push(payload);
      send({ id: '1', type: 'next', payload: frame(1, 'c8') });
      send({ id: '1', type: 'complete' });
    });
    expect(await read(TRANSPORTS.websocket, peer, 'c7')).toEqual({ frames: [frame(1, 'c8')], end: 'complete' });
    expect(subscribed).toEqual([{ query: 'subscription { n }', variables: {}, extensions: { cursor: 'c7' } }]);
  });

  test('an error message and a closed socket are no end', async () => {
    await using refusing = await serveSockets((_message, send) =>
      send({ id: '1', type: 'error', payload: [{ message: 'no' }] }),
    );
    expect((await read(TRANSPORTS.websocket, refusing)).end).toContain('no');
    await using closing = await serveSockets((_message, send, close) => {
      send({ id: '1', type: 'next', payload: frame(1) });
      close(4413);
    });
    expect(await read(TRANSPORTS.websocket, closing)).toEqual({ frames: [frame(1)], end: 'closed 4413 why' });
  });
});
