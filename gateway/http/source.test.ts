import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientSource } from './source';

/** What a server says about a request from this machine that it gets with these headers. */
async function seen(trusted: readonly string[], headers: Record<string, string | string[]>) {
  const source = clientSource(trusted);
  const server = createServer((request, response) => {
    response.end(JSON.stringify({ address: source.addressOf(request), isSecure: source.isSecure(request) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<{ address: string | null; isSecure: boolean }>((resolve, reject) => {
      const sent = httpRequest({ port, host: '127.0.0.1', headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(JSON.parse(text) as never));
      });
      sent.once('error', reject).end();
    });
  } finally {
    server.close();
  }
}

const claim = (address: string | string[]): Record<string, string | string[]> => ({ 'x-forwarded-for': address });

test.each([
  ['nobody is trusted', [], claim('203.0.113.1'), '127.0.0.1'],
  ['another one is trusted', ['10.0.0.0/8'], claim('203.0.113.1'), '127.0.0.1'],
  ['the hop is trusted', ['127.0.0.1'], claim('203.0.113.1'), '203.0.113.1'],
  ['the client wrote others before', ['loopback'], claim('1.1.1.1, 2.2.2.2, 203.0.113.1'), '203.0.113.1'],
  ['two hops are trusted', ['loopback', '10.0.0.0/8'], claim('6.6.6.6, 203.0.113.1, 10.1.2.3'), '203.0.113.1'],
  ['the header is there twice', ['loopback'], claim(['6.6.6.6', '203.0.113.1']), '203.0.113.1'],
  ['the hop says nothing', ['loopback'], {}, '127.0.0.1'],
  ['the hop says nonsense', ['loopback'], claim('unknown'), '127.0.0.1'],
  ['the hop adds the port', ['loopback'], claim('203.0.113.1:4711'), '203.0.113.1'],
  ['the hop adds the port to IPv6', ['loopback'], claim('[2001:DB8:0:1::7]:4711'), '2001:db8:0:1::/64'],
  ['IPv6', ['loopback'], claim('2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff'), '2001:db8:aaaa:bbbb::/64'],
  ['IPv6 that begins with zeros', ['loopback'], claim('::1:2:3:4:5:6:7'), '0:1:2:3::/64'],
  ['IPv4 as IPv6', ['loopback'], claim('::ffff:203.0.113.1'), '203.0.113.1'],
  ['IPv6 with IPv4 at its end', ['loopback'], claim('64:ff9b::203.0.113.1'), '64:ff9b:0:0::/64'],
  [
    'other headers',
    ['loopback'],
    { forwarded: 'for=6.6.6.6', 'x-real-ip': '6.6.6.6', 'x-client-ip': '6.6.6.6' },
    '127.0.0.1',
  ],
])('the address when %s', async (_case, trusted, headers, address) => {
  expect((await seen(trusted, headers)).address).toBe(address);
});

test.each([
  [[], 'https', false],
  [['loopback'], 'https', true],
  [['loopback'], 'https, http', false],
  [['loopback'], 'http, HTTPS', true],
  [['loopback'], 'http', false],
])('with %j trusted a connection of which is said "%s" is encrypted: %s', async (trusted, scheme, isSecure) => {
  expect((await seen(trusted, { 'x-forwarded-proto': scheme })).isSecure).toBe(isSecure);
});

test('what is no address is refused', () => {
  expect(() => clientSource(['the proxy'])).toThrow();
});
