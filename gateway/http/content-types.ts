import type { IncomingMessage } from 'node:http';
import type { HTTPGraphQLResponse } from '@apollo/server';
import { LRUCache } from 'lru-cache';

/** Which content type Apollo Server answers to an Accept header with. It decides once, and each header is remembered. */
export interface ContentTypes {
  known(request: IncomingMessage): string | undefined;
  learn(request: IncomingMessage, answer: HTTPGraphQLResponse): void;
}

/** Accept headers remembered; clients send few different ones. */
const MAX_HEADERS = 100;
/** A longer header is decided anew each time. */
const MAX_LENGTH = 500;

export function createContentTypes(): ContentTypes {
  const byAccept = new LRUCache<string, string>({ max: MAX_HEADERS });
  return {
    known: ({ headers: { accept = '' } }) => byAccept.get(accept),
    learn({ method, headers: { accept = '' } }, { status, headers }) {
      const contentType = headers.get('content-type');
      if (method === 'POST' && (status ?? 200) === 200 && contentType && accept.length <= MAX_LENGTH)
        byAccept.set(accept, contentType);
    },
  };
}
