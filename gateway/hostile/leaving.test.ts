import { request as httpRequest, type ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { waitFor } from '../../platform/testing/wait';
import { aRunningShop, MODES, post, withAccounts } from '../testing/gateways';
import { besideHonest, noFigures, report } from '../testing/honest';
import { aRawSubgraph } from '../testing/raw-subgraph';
import { aRawSocket } from '../testing/socket-client';

const CLIENTS = 50;
const each = <Made>(make: (index: number) => Made): Made[] =>
  Array.from({ length: CLIENTS }, (_, index) => make(index));

const figures = noFigures();
afterAll(() => report('clients that leave', figures));

/** Sends an operation, and leaves whatever comes of it to the test. */
function send(url: string, query: string): ClientRequest {
  const request = httpRequest(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
  request.on('error', () => {}); // it is destroyed
  request.end(JSON.stringify({ query }));
  return request;
}

describe.each(MODES)('subgraphs %s', (mode) => {
  test('50 clients that leave while a subgraph works: all of its work is cancelled', async () => {
    await using running = await aRunningShop(mode);
    await besideHonest(running.url, figures, async () => {
      const requests = each((index) => send(running.url, `query S${index % 5} { slow(ms: 60000) }`));
      await waitFor(
        'the calls',
        () => running.shop.calls.filter(({ query }) => query.includes('slow')).length === CLIENTS,
      );
      for (const request of requests) request.destroy();
      await waitFor('the resolvers to see the abort', () => running.shop.aborted.length === CLIENTS);
    });
  });

  test('50 sockets that vanish while a subgraph works', async () => {
    await using running = await aRunningShop(mode);
    await besideHonest(running.url, figures, async () => {
      const sockets = await Promise.all(each(() => aRawSocket(running.webSocketUrl, { init: {} })));
      for (const socket of sockets)
        socket.send({ type: 'subscribe', id: '1', payload: { query: '{ slow(ms: 60000) }' } });
      await waitFor(
        'the calls',
        () => running.shop.calls.filter(({ query }) => query.includes('slow')).length === CLIENTS,
      );
      for (const { socket } of sockets) socket.terminate();
      await waitFor('the resolvers to see the abort', () => running.shop.aborted.length === CLIENTS);
    });
  });
});

test('50 clients that leave in the middle of their body', async () => {
  await using running = await aRunningShop('in process');
  await besideHonest(running.url, figures, async () => {
    const { port } = new URL(running.url);
    const head = `POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"query":"mutation { touchProducts }"`;
    await Promise.all(
      each(
        () =>
          new Promise<void>((resolve) => {
            const socket = connect(Number(port), '127.0.0.1', () => socket.write(head, () => socket.destroy()));
            socket.on('error', () => {});
            socket.on('close', () => resolve());
          }),
      ),
    );
  });
  expect(running.shop.log).toEqual([]);
});

test('50 clients that leave in the middle of an answer of 5 MB', async () => {
  const answer = JSON.stringify({ data: { me: { name: 'x'.repeat(5_000_000) } } });
  await using raw = await aRawSubgraph((_request, response) => void response.end(answer));
  await using gateway = await withAccounts(raw.url);
  await besideHonest(gateway.url, figures, () =>
    Promise.all(
      each(
        () =>
          new Promise<void>((resolve) => {
            const request = send(gateway.url, '{ me { name } }');
            request.on('response', (response) => {
              response.once('data', () => request.destroy());
              response.on('error', () => {});
            });
            request.on('close', () => resolve());
          }),
      ),
    ),
  );
  const { data } = await post(gateway.url, '{ me { name } }');
  expect((data!['me'] as { name: string }).name).toHaveLength(5_000_000);
});

test('50 clients that ask and never read do not keep others waiting, and the gateway stops in its grace', async () => {
  const answer = JSON.stringify({ data: { me: { name: 'x'.repeat(1_000_000) } } });
  await using raw = await aRawSubgraph((_request, response) => void response.end(answer));
  await using gateway = await withAccounts(raw.url, { limits: { stopGraceMs: 200 } });
  const body = JSON.stringify({ query: '{ me { name } }' });
  const { port } = new URL(gateway.url);
  await besideHonest(gateway.url, figures, async () => {
    for (const socket of each(() => connect(Number(port), '127.0.0.1'))) {
      socket.on('error', () => {});
      socket.pause();
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    }
    await waitFor('the calls', () => raw.requests.length === CLIENTS);
  });
});
