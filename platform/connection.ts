import { SautiError } from './errors';

/** A page of a Relay connection (GraphQL Cursor Connections Specification), as every schema here declares it. */
export interface Connection<Node> {
  edges: { cursor: string; node: Node }[];
  nodes: Node[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

export const MAX_PAGE = 100;

export interface PageRequest {
  first: number;
  after?: string | null | undefined;
}

/**
 * Reads one page by key. `read` gets how many rows to fetch (one more than the page, to know whether more follow) and the
 * sort key of the last row seen, or null at the start; `keyOf` tells a row's sort key.
 * Throws BAD_USER_INPUT for a page size outside 1–100 and for a cursor that is none of ours.
 */
export async function readConnection<Node>(
  page: PageRequest,
  keyOf: (node: Node) => string,
  read: (take: number, afterKey: string | null) => Promise<Node[]>,
): Promise<Connection<Node>> {
  if (!Number.isInteger(page.first) || page.first < 1 || page.first > MAX_PAGE) {
    throw new SautiError('BAD_USER_INPUT', `"first" must be between 1 and ${MAX_PAGE}; it was ${page.first}.`);
  }
  const afterKey = page.after == null ? null : decodeKey(page.after);
  const rows = await read(page.first + 1, afterKey);
  const nodes = rows.slice(0, page.first);
  const edges = nodes.map((node) => ({ cursor: encodeKey(keyOf(node)), node }));
  return {
    edges,
    nodes,
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: afterKey !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function encodeKey(key: string): string {
  return Buffer.from(`k:${key}`).toString('base64url');
}

function decodeKey(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^k:[\w-]{1,64}$/.test(text)) throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this list.');
  return text.slice(2);
}
