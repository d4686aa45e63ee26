import { request as httpRequest } from 'node:http';
import { createGateway } from '../server';
import { aRawSubgraph } from '../testing/raw-subgraph';
import { Shop, shopSubgraphs, shopSupergraph } from '../testing/shop';
import { silentLogger } from '../../platform/logger';
import { headerRuleFaults } from '../fetch/header-rules';
import { isInternalHeader } from './internal-headers';

const INTERNAL = [
  'x-user-id',
  'X-User-ID',
  'x_user_id',
  'x-user',
  'x-roles',
  'X_Roles',
  'x-user-roles',
  'x-scopes',
  'x-viewer',
  'x-viewer-id',
  'x-internal-token',
  'X-Internal',
  'x-sauti-viewer',
  'apollo-federation-include-trace',
  'Apollo_Federation-Include_Trace',
  'x-forwarded-for',
  'x_forwarded_for',
  'x-forwarded-user',
  'forwarded',
  'x-real-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'remote-user',
];

test.each(INTERNAL)('%s is for the gateway alone, and no setting forwards it', (name) => {
  expect(isInternalHeader(name.toLowerCase())).toBe(true);
  expect(headerRuleFaults({ forward: [name.toLowerCase()], set: {} })).toHaveLength(1);
});

test.each(['user-agent', 'x-tenant', 'accept-language', 'x-users-choice', 'traceparent', 'cookie', 'authorization'])(
  '%s is the client’s own',
  (name) => expect(isInternalHeader(name)).toBe(false),
);

test('a subgraph, also by a byte route in this process, sees none of them, however often and in whatever case they come', async () => {
  await using subgraph = await aRawSubgraph((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"me":null}}');
  });
  const subgraphs = shopSubgraphs(new Shop());
  subgraphs.delete('accounts');
  const routed: string[][] = [];
  const [name, other] = [...subgraphs][0]!;
  subgraphs.set(name, {
    ...other,
    byteRoutes: [
      (request, response, url) => {
        if (url.pathname !== '/bytes') return false;
        routed.push(Object.keys(request.headers));
        response.end();
        return true;
      },
    ],
  });
  const gateway = await createGateway({
    supergraphSdl: shopSupergraph({ accounts: subgraph.url }),
    subgraphs,
    remoteSubgraph: () => ({ settings: { headers: { forward: ['x-tenant', 'cookie'], set: {} } } }),
    cookieSessions: true,
    authenticate: async () => null,
    logger: silentLogger,
    development: true,
  });
  try {
    const { address } = await gateway.listen(0, '127.0.0.1');
    const body = JSON.stringify({ query: '{ me { name } }' });
    const hostile = [...INTERNAL, ...INTERNAL].flatMap((header) => [header, 'root']);
    const own = ['x-tenant', 't', 'cookie', 'a=1; __Host-sauti-refresh=secret', 'x-api-key', 'sauti_0123abcd_x'];
    const send = (path: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = ['content-type', 'application/json', 'host', 'gateway', ...hostile, ...own];
        const sent = httpRequest(
          { port: address.port, host: '127.0.0.1', path, method: 'POST', headers },
          (response) => {
            response.resume().on('end', () => resolve(response.statusCode));
          },
        );
        sent.once('error', reject).end(body);
      });
    expect([await send('/graphql'), await send('/bytes')]).toEqual([200, 200]);
    const forwarded = subgraph.requests[0]!.headers;
    expect(forwarded).toMatchObject({ 'x-tenant': 't', cookie: 'a=1' });
    for (const header of INTERNAL) expect(forwarded).not.toHaveProperty(header.toLowerCase());
    expect(JSON.stringify(forwarded)).not.toMatch(/root|secret|sauti_/);
    expect(routed[0]!.filter(isInternalHeader)).toEqual([]);
  } finally {
    await gateway.stop();
  }
});
