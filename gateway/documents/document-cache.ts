import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Tokens of all documents in one cache. A parsed document takes about 230 bytes of memory a token, so a thousand of the
 * longest would take half a gigabyte: measured with lists of 1 900 numbers.
 */
const MAX_TOKENS = 200_000;

/** Keeps the documents used last: at most `max`, and no more than about 50 MB of them. */
export function createDocumentCache(max: number): LRUCache<string, DocumentNode> {
  return new LRUCache({ max, maxSize: MAX_TOKENS, sizeCalculation: countTokens });
}

/** Lexical tokens of a parsed document. */
export function countTokens(document: DocumentNode): number {
  let count = 1;
  for (let token = document.loc?.startToken.next; token; token = token.next) count++;
  return count;
}
