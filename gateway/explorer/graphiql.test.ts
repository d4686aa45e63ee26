import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { graphiqlPage } from './graphiql';

test('a page that could not be rendered is rendered again for the next request, and a good one is kept', async () => {
  let renderings = 0;
  const page = graphiqlPage('/graphql', async () => {
    if (++renderings === 1) throw new Error('no memory');
    return gzipSync(`rendering ${renderings}`);
  });
  const server = createServer((request, response) => {
    Promise.resolve(page(request, response, new URL('http://gateway/graphiql'), 'test')).catch(() =>
      response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphiql`;
  try {
    expect((await fetch(url)).status).toBe(500);
    expect(await (await fetch(url)).text()).toBe('rendering 2');
    expect(await (await fetch(url)).text()).toBe('rendering 2');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
