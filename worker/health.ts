import { createServer } from 'node:http';

/** Answers `/health` (the process runs) and `/ready` (its database answers) on all addresses of this machine. */
export async function serveHealth(port: number, ready: () => Promise<void>): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const reply = (status: number): unknown =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`{"status":${status === 200}}`);
    if (request.url === '/health') return reply(200);
    if (request.url !== '/ready') return reply(404);
    ready().then(
      () => reply(200),
      () => reply(503),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
