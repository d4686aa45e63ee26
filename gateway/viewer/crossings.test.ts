import { TOKENS, anEdgeWorld, type EdgeWorld } from '../testing/edge-world';
import { MODES } from '../testing/gateways';

const REQUESTS = 1_000;
/** Under way at a time: equal queries of both viewers meet in plans, documents, loaders and connections. */
const AT_ONCE = 50;
const PEOPLE = ['alice', 'bob'] as const;
const QUERIES = ['{ who }', '{ who other }', '{ a: who b: who }', 'query Q { ... on Query { who } }'];

describe.each(MODES)('two viewers with the same queries, %s', (mode) => {
  let world: EdgeWorld;
  beforeAll(async () => {
    // In flight, equal queries of one viewer are one call.
    const remoteSubgraph = () => ({ settings: { shareInFlight: true } });
    world = await anEdgeWorld(mode, { remoteSubgraph });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each(['POST', 'GET'])(
    `each gets only its own answers, which no cache keeps: ${REQUESTS} by %s`,
    async (method) => {
      const crossed: string[] = [];
      const ask = async (index: number): Promise<void> => {
        const name = PEOPLE[index % 2]!;
        const response = await send(world.url, method, QUERIES[(index >> 1) % QUERIES.length]!, TOKENS[name]);
        const text = await response.text();
        const others = PEOPLE.filter((each) => each !== name);
        const isOwn = text.includes(`usr_${name}`) && !others.some((other) => text.includes(other));
        const isPrivate = response.headers.get('cache-control') === 'private, no-store';
        if (response.status !== 200 || !isOwn || !isPrivate) crossed.push(`${name} ${response.status} ${text}`);
      };
      for (let from = 0; from < REQUESTS; from += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(from + index)));
      expect(crossed).toEqual([]);
    },
  );
});

function send(url: string, method: string, query: string, token: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'apollo-require-preflight': 'true' };
  if (method === 'GET') return fetch(`${url}?query=${encodeURIComponent(query)}`, { headers });
  return fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
}
