import { readConnection, type Connection } from './connection';

const ROWS = ['e', 'd', 'c', 'b', 'a'];

/** Reads a page of five rows that are sorted downwards. */
function page(first: number, after?: string | null): Promise<Connection<string>> {
  return readConnection(
    { first, after },
    (row) => row,
    async (take, afterKey) => ROWS.filter((row) => afterKey === null || row < afterKey).slice(0, take),
  );
}

test('pages follow each other without a gap or an overlap', async () => {
  const first = await page(2);
  expect(first.nodes).toEqual(['e', 'd']);
  expect(first.edges.map((edge) => edge.node)).toEqual(first.nodes);
  expect(first.pageInfo).toEqual({
    hasNextPage: true,
    hasPreviousPage: false,
    startCursor: first.edges[0]!.cursor,
    endCursor: first.edges[1]!.cursor,
  });
  const second = await page(2, first.pageInfo.endCursor);
  expect([second.nodes, second.pageInfo.hasNextPage, second.pageInfo.hasPreviousPage]).toEqual([
    ['c', 'b'],
    true,
    true,
  ]);
  const last = await page(2, second.pageInfo.endCursor);
  expect([last.nodes, last.pageInfo.hasNextPage]).toEqual([['a'], false]);
});

test('a page that ends with the last row has no next page, and an empty one has no cursors', async () => {
  expect((await page(5)).pageInfo.hasNextPage).toBe(false);
  const last = await page(5);
  const empty = await page(1, last.pageInfo.endCursor);
  expect(empty).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, startCursor: null, endCursor: null } });
});

test.each([0, -1, 101, 1.5, Number.NaN])('a page of %p is BAD_USER_INPUT', async (first) => {
  await expect(page(first)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
});

test.each([
  '',
  'd',
  'not a cursor',
  Buffer.from("k:' or 1=1").toString('base64url'),
  Buffer.from('k:\0').toString('base64url'),
])('the cursor %p is BAD_USER_INPUT', async (after) => {
  await expect(page(1, after)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
});
