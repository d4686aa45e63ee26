import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Script } from 'node:vm';
import { buildSchema, parse, validate } from 'graphql';
import { readRepositoryFile } from '../../../platform/root';
import { accountPagesRoute } from './account-pages';

let server: Server;
let base: string;

beforeAll(async () => {
  const route = accountPagesRoute();
  server = createServer((request, response) => {
    if (!route(request, response, new URL(request.url!, 'http://pages'))) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

test.each(['/verify-email', '/reset-password'])(
  '%s runs its own script and no other, and is never kept',
  async (path) => {
    const response = await fetch(base + path);
    const script = /<script>([^]*)<\/script>/.exec(await response.text())![1]!;
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`);
    expect(policy).toContain("default-src 'none'");
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(() => new Script(script)).not.toThrow();
  },
);

test.each(['/verify-email', '/reset-password'])('%s asks what the graph answers', async (path) => {
  const html = await (await fetch(base + path)).text();
  const document = parse(/data-mutation="([^"]+)"/.exec(html)![1]!);
  const schema = buildSchema(readRepositoryFile('subgraphs/users/schema.graphql'), { assumeValidSDL: true });
  expect(validate(schema, document)).toEqual([]);
});

test('nothing is answered to another method or at another path', async () => {
  expect((await fetch(`${base}/verify-email`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${base}/verify-email/x`)).status).toBe(404);
});
