import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/** The content type of an answer. */
export interface ContentType {
  /** With its charset, as the header has it. */
  text: string;
  /**
   * Whether it is `application/json` and the client named that type. Such a client takes anything but 200 for the answer
   * of something between it and the gateway; one that takes whatever comes, or says nothing, does not.
   */
  isNamedJson: boolean;
}

/** The content type of an answer for a client with this Accept header; undefined when it takes none that exists. */
export type ContentTypes = (accept: string | undefined) => ContentType | undefined;

const JSON_TYPE = 'application/json; charset=utf-8';
/** Those of Apollo Server, in its order: the first one is what a client gets that has no preference. */
const TYPES = [
  JSON_TYPE,
  'application/graphql-response+json; charset=utf-8',
  'application/json; callbackSpec=1.0; charset=utf-8',
];

/** Accept headers remembered; clients send few different ones. */
const MAX_HEADERS = 100;
/** A longer header is decided anew each time. */
const MAX_LENGTH = 500;

/** Decides content types as Apollo Server does, and remembers what it decided. */
export function createContentTypes(): ContentTypes {
  const byAccept = new LRUCache<string, { chosen: ContentType | undefined }>({ max: MAX_HEADERS });
  return (accept = '') => {
    const known = byAccept.get(accept);
    if (known) return known.chosen;
    const chosen = choose(accept);
    if (accept.length <= MAX_LENGTH) byAccept.set(accept, { chosen });
    return chosen;
  };
}

function choose(accept: string): ContentType | undefined {
  if (accept === '') return { text: JSON_TYPE, isNamedJson: false };
  const negotiator = new Negotiator({ headers: { accept } });
  const text = negotiator.mediaType(TYPES);
  if (text === undefined) return undefined;
  const isNamedJson =
    text === JSON_TYPE && negotiator.mediaTypes().some((type) => type.toLowerCase() === 'application/json');
  return { text, isNamedJson };
}
