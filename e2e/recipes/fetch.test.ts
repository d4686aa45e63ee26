import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authorizedFetch, streamingFetch } from '../../client/recipes/fetch';

let server: Server;
let url: string;
let answer: (response: ServerResponse, authorization: string | undefined) => void;
beforeEach(async () => {
  server = createServer(({ headers }, response) => answer(response, headers.authorization)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function read(response: Response): Promise<{ text: string; failure?: string }> {
  let text = '';
  try {
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) text += piece;
    return { text };
  } catch (error) {
    return { text, failure: (error as Error).message };
  }
}

test.each(['text/event-stream; charset=utf-8', 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'])(
  'a stream of %s that falls silent breaks, and its connection is closed',
  async (type) => {
    let closed: Promise<unknown> | undefined;
    answer = (response) => {
      closed = once(response, 'close');
      response.writeHead(200, { 'content-type': type }).write('one');
    };
    const { text, failure } = await read(await streamingFetch(fetch, 50)(url));
    expect({ text, failure }).toEqual({ text: 'one', failure: 'The stream was silent for 50 ms.' });
    await closed;
  },
);

test('a stream that ends breaks, so that nobody waits for what cannot come', async () => {
  answer = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('one');
  expect(await read(await streamingFetch()(url))).toEqual({ text: 'one', failure: 'The stream ended.' });
});

test('an answer that is no stream is left alone', async () => {
  const response = Response.json({});
  expect(await streamingFetch(async () => response)(url)).toBe(response);
});

test('a token that is refused is replaced once', async () => {
  const seen: unknown[] = [];
  answer = (response, authorization) => {
    seen.push(authorization);
    response.writeHead(401).end();
  };
  const { status } = await authorizedFetch((mustBeNew) => (mustBeNew ? 'new' : 'old'))(url);
  expect({ status, seen }).toEqual({ status: 401, seen: ['Bearer old', 'Bearer new'] });
});

test('without a token none is sent', async () => {
  answer = (response, authorization) => response.end(String(authorization));
  expect(await (await authorizedFetch(() => undefined)(url)).text()).toBe('undefined');
});
