import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { Database } from '../database/database';
import type { Logger } from '../logger';
import type { Seal } from '../seal';
import type { ByteRoute } from '../subgraph/subgraph';
import type { MailBody } from './mail';
import { outboxPage, type OutboxMail } from './outbox-page';

export const OUTBOX_PATH = '/outbox';
const NEWEST = 50;

/**
 * The development outbox. Whoever sees it can take over accounts, so it answers this machine only: the connection comes
 * from loopback, was not forwarded, and was opened for a loopback name (a page of the web cannot reach it by rebinding DNS).
 */
export function outboxRoute({ database, seal, logger }: { database: Database; seal: Seal; logger: Logger }): ByteRoute {
  return (request, response, url) => {
    if (url.pathname !== OUTBOX_PATH || request.method !== 'GET' || !isFromThisMachine(request)) return false;
    newestMails(database, seal).then(
      (mails) => {
        response.writeHead(200, {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-store',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
          'referrer-policy': 'no-referrer',
        });
        response.end(outboxPage(mails));
      },
      (error: unknown) => {
        logger.warn({ error }, 'the outbox cannot be read');
        response.writeHead(503, { 'retry-after': '1' }).end();
      },
    );
    return true;
  };
}

function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  const isForwarded = headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined;
  return !isForwarded && isLoopback(socket.remoteAddress ?? '') && isLoopback(hostOf(headers.host ?? ''));
}

function hostOf(header: string): string {
  return header.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/i, '');
  return host === 'localhost' || host === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

async function newestMails({ prisma }: Database, seal: Seal): Promise<OutboxMail[]> {
  const rows = await prisma.mail.findMany({ orderBy: { id: 'desc' }, take: NEWEST });
  return rows.map((row) => ({
    ...row,
    text: row.body === null ? null : (JSON.parse(seal.unseal(row.body)) as MailBody).text,
  }));
}
