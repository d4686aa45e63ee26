import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import type { Page } from '../http/handler';

/**
 * What the page may do: its own inline scripts and workers, and requests to this gateway. It needs no internet.
 */
const CONTENT_SECURITY_POLICY =
  "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; connect-src 'self' ws: wss: blob: data:; frame-ancestors 'none'";

/**
 * GraphiQL from npm as one page that works offline, subscriptions over WebSocket included. The page has 9 MB and is
 * rendered when it is first asked for; only its gzipped form (about a quarter) is kept.
 */
export function graphiqlPage(graphqlPath: string, renderPage: (endpoint: string) => Promise<Buffer> = render): Page {
  let compressed: Promise<Buffer> | undefined;
  return async (request, response) => {
    compressed ??= renderPage(graphqlPath);
    const page = await compressed.catch((error: unknown) => {
      compressed = undefined; // a failure is not kept: the next request tries again
      throw error;
    });
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
    response.setHeader('vary', 'Origin, Accept-Encoding');
    response.setHeader('cache-control', 'no-cache');
    if (/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
      response.setHeader('content-encoding', 'gzip');
      response.setHeader('content-length', page.length);
      response.end(request.method === 'HEAD' ? undefined : page);
      return;
    }
    const unzip = createGunzip();
    unzip.pipe(response);
    unzip.end(page);
  };
}

async function render(endpoint: string): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const options = { endpoint, title: 'GraphiQL', subscriptionsProtocol: 'WS' } as const;
  const json = JSON.stringify(options);
  const html = renderGraphiQL(options).replace(json, () => `{ ...${json}, connectionParams: ${CONNECTION_PARAMS} }`);
  return promisify(gzip)(html);
}

/**
 * What the headers editor holds, read again for each connection: without it nobody could subscribe as a signed-in
 * viewer. The page has no option for a function, and GraphiQL keeps that text in the local storage.
 */
const CONNECTION_PARAMS = `() => {
  try {
    return JSON.parse(window.localStorage.getItem('graphiql:headers') || '{}');
  } catch {
    return {};
  }
}`;
