import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../platform/logger';
import { lingerUnread } from '../../platform/http/unread-body';
import type { ByteRoute } from '../../platform/subgraph/subgraph';
import { allowOrigin, answerPreflight, type OriginPolicy } from './cors';
import type { Identification } from '../viewer/identification';
import { HttpError, sendError } from './responses';
import { setSecurityHeaders } from './security-headers';

const BASE = 'http://gateway';

/** Answers a path of the gateway itself. May throw an `HttpError`. */
export type Page = (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  requestId: string,
) => Promise<void> | void;

export interface HandlerOptions {
  /** By exact path; one that ends in a slash (but is more than that) answers what is one step below it. */
  pages: ReadonlyMap<string, { methods: readonly string[]; answer: Page }>;
  /** Asked in order for every other path. */
  byteRoutes: readonly ByteRoute[];
  origins: OriginPolicy;
  identification: Identification;
  logger: Logger;
}

/** The HTTP side of the gateway: finds who answers, and turns every failure into a JSON error. Never rejects. */
export function createHandler(
  options: HandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  // Most requests name a page and nothing more: their URLs are read once.
  const urls = new Map([...options.pages.keys()].map((path) => [path, new URL(path, BASE)]));
  const routing = { ...options, urls };
  return async (request, response) => {
    const requestId = randomUUID();
    lingerUnread(request, response);
    response.setHeader('x-request-id', requestId);
    setSecurityHeaders(response, options.identification.enter(request));
    try {
      await dispatch(routing, request, response, requestId);
    } catch (error) {
      fail(options.logger, error, response, requestId);
    }
  };
}

/** What a request asks for; null when that is not a path. */
export function urlOf(request: IncomingMessage): URL | null {
  const target = request.url ?? '/';
  const isPath = target.startsWith('/') && !target.startsWith('//') && URL.canParse(target, BASE);
  return isPath ? new URL(target, BASE) : null;
}

async function dispatch(
  { pages, byteRoutes, origins, urls }: HandlerOptions & { urls: ReadonlyMap<string, URL> },
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const url = urls.get(request.url ?? '') ?? urlOf(request);
  if (!url) throw new HttpError(400, 'BAD_REQUEST', 'The request target is not a path.');
  allowOrigin(request, response, origins);
  if (request.method === 'OPTIONS' && request.headers['access-control-request-method']) {
    if (answerPreflight(request, response, origins)) return;
    throw new HttpError(
      403,
      'FORBIDDEN',
      'This origin may not call this service. Its operator can add it to the allowed origins.',
    );
  }
  const page = pages.get(url.pathname) ?? pages.get(parentOf(url.pathname));
  if (!page) {
    if (byteRoutes.some((route) => route(request, response, url))) return;
    throw new HttpError(404, 'NOT_FOUND', 'There is nothing at this path.');
  }
  if (!page.methods.includes(request.method ?? '')) {
    response.setHeader('allow', page.methods.join(', '));
    throw new HttpError(405, 'BAD_REQUEST', `${url.pathname} takes ${page.methods.join(' and ')} requests.`);
  }
  await page.answer(request, response, url, requestId);
}

/** The path of a page that answers all paths below it: with its slash; empty without one. */
function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end > 0 ? path.slice(0, end + 1) : '';
}

function fail(logger: Logger, error: unknown, response: ServerResponse, requestId: string): void {
  if (error instanceof HttpError) return sendError(response, error, requestId);
  logger.error({ error, requestId }, 'a request failed');
  if (response.headersSent) response.destroy();
  else sendError(response, { status: 500, code: 'INTERNAL', message: 'Something went wrong on our side.' }, requestId);
}
