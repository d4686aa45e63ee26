/**
 * A real OpenID Connect provider (npm `oidc-provider`) on a free port of loopback, for tests; run in a process of its own, since
 * jest cannot load it. Its arguments: the redirect addresses of its client. It prints its issuer when it listens, and ends with
 * its stdin. `POST /accounts` with `{ id, claims }` sets what it says about somebody; anybody can sign in as anybody.
 */
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const accounts = new Map();
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'sauti', client_secret: 'only tests know it', redirect_uris: process.argv.slice(2) }],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'locale', 'zoneinfo'],
    },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) }),
    cookies: { keys: ['only tests know it'] },
    pkce: { required: () => true },
  });
  const serve = provider.callback();
  server.on('request', (request, response) => {
    if (request.url !== '/accounts') return serve(request, response);
    let text = '';
    request.setEncoding('utf8').on('data', (piece) => (text += piece));
    request.on('end', () => {
      const { id, claims } = JSON.parse(text);
      accounts.set(id, claims);
      response.end();
    });
  });
  process.stdout.write(`${issuer}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
