import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { createMailSeal, queueMail } from './mail';
import { outboxRoute } from './outbox-route';

let test_: TestPlatform;
let server: Server;

beforeAll(async () => {
  test_ = await openTestPlatform();
  const route = outboxRoute({ ...test_.platform, seal: createMailSeal(test_.platform.secret) });
  server = createServer((incoming, response) => {
    if (!route(incoming, response, new URL(incoming.url!, 'http://outbox'))) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await test_[Symbol.asyncDispose]();
});

async function get(headers: Record<string, string> = {}): Promise<{ status: number; body: string; csp: string }> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', path: '/outbox', headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      const csp = String(response.headers['content-security-policy']);
      response.on('end', () => resolve({ status: response.statusCode!, body, csp }));
    });
    call.on('error', reject).end();
  });
}
async function queue(subject: string, text: string): Promise<void> {
  const seal = createMailSeal(test_.platform.secret);
  await test_.platform.database.prisma.$transaction((tx) =>
    queueMail(tx, seal, { to: 'amina@example.com', kind: 'test', subject, text }),
  );
}

test('shows the mails, newest first, with links to be clicked', async () => {
  await queue('First', 'Look at https://sauti.example/verify-email#token=abc_-1 at once');
  await queue('Second', 'Nothing');
  const { status, body } = await get();
  expect(status).toBe(200);
  expect(body.indexOf('Second')).toBeLessThan(body.indexOf('First'));
  expect(body).toContain('<a href="https://sauti.example/verify-email#token=abc_-1"');
});

test('runs nothing that a mail brings', async () => {
  await queue('<img src=x onerror=alert(1)>', `<script>alert(1)</script> https://x.example/"onclick="alert(1)`);
  const { body, csp } = await get();
  expect(body).not.toMatch(/<script|<img|"onclick/);
  expect(csp).toContain("default-src 'none'");
});

test.each<[why: string, headers: Record<string, string>]>([
  ['another name, as after rebinding DNS', { host: 'thief.example' }],
  ['a name that only begins like this machine', { host: '127.0.0.1.thief.example' }],
  ['a proxy that forwards it', { 'x-forwarded-for': '203.0.113.9' }],
  ['a proxy that says so in the new way', { forwarded: 'for=203.0.113.9' }],
])('answers nobody who comes by %s', async (_why, headers) => {
  expect(await get(headers)).toMatchObject({ status: 404, body: '' });
});

test.each(['localhost:4000', '127.0.0.1:4000', '[::1]:4000'])('answers this machine as %s', async (host) => {
  expect(await get({ host })).toMatchObject({ status: 200 });
});
