import { aRawSocket } from '../testing/socket-client';
import { anEdgeWorld, TOKENS, type EdgeWorld } from '../testing/edge-world';
import { post } from '../testing/gateways';
import { multipart, sendMultipart, uploadParts } from '../testing/multipart';
import type { GatewayOptions } from '../options';
import type { CounterStore } from './counter-store';
import { memoryCounterStore } from './memory-store';

const SIGN_IN = 'mutation ($email: String!) { signIn(input: { email: $email }) }';

/** A gateway that counts, behind a proxy on this machine that says where clients are. */
function aCountingWorld(options: Partial<GatewayOptions> = {}): Promise<EdgeWorld> {
  return anEdgeWorld('in process', {
    trustedProxies: ['loopback'],
    rateLimits: { store: memoryCounterStore(), general: null },
    ...options,
  });
}

const from = (address: string): { headers: Record<string, string> } => ({ headers: { 'x-forwarded-for': address } });
const outcome = ({ status, errors }: { status: number; errors?: { extensions: { code: string } }[] }): unknown =>
  errors ? [status, errors[0]!.extensions.code] : status;

const REFUSED = [429, 'RATE_LIMITED'];

describe('brute force', () => {
  let world: EdgeWorld;
  beforeEach(async () => void (world = await aCountingWorld()));
  afterEach(() => world[Symbol.asyncDispose]());

  const signIn = async (email: string, address: string, query = SIGN_IN): Promise<unknown> =>
    outcome(await post(world.url, query, { email }, from(address)));

  test('one source signs in to a hundred accounts 20 times', async () => {
    const outcomes: unknown[] = [];
    for (let account = 0; account < 100; account++) outcomes.push(await signIn(`${account}@x.example`, '198.51.100.7'));
    expect(outcomes).toEqual([...Array<unknown>(20).fill(200), ...Array<unknown>(80).fill(REFUSED)]);
    expect(world.count('signIn')).toBe(20);
    expect(await signIn('honest@x.example', '198.51.100.8')).toBe(200);
  });

  test('one source tries 100 passwords of one account 5 times, however it writes the address; others are not locked out', async () => {
    for (let attempt = 0; attempt < 100; attempt++)
      await signIn(attempt % 2 ? ' Victim@X.example' : 'victim@x.example', '198.51.100.7');
    expect(world.count('signIn')).toBe(5);
    expect(await signIn('victim@x.example', '198.51.100.8')).toBe(200);
  });

  test('a source with nothing left makes no more counts, whatever it writes into arguments', async () => {
    const { store, keys } = recording(memoryCounterStore());
    await using own = await aCountingWorld({ rateLimits: { store, general: { limit: 30, windowS: 600 } } });
    for (let account = 0; account < 50; account++)
      await post(own.url, SIGN_IN, { email: `${account}@x.example` }, from('198.51.100.7'));
    const query = 'mutation { a: signIn(input: { email: "a" }) b: signIn(input: { email: "b" }) }';
    await post(own.url, query, {}, from('198.51.100.7'));
    // One for each of 20 attempts, and by source that of the field and that of everything.
    expect([own.count('signIn'), keys.size]).toEqual([20, 22]);
  });

  test('aliases, fragments and a value in the document are counted, and nothing of a refused operation runs', async () => {
    const aliases = (name: string, count: number): string =>
      Array.from({ length: count }, (_, at) => `${name}${at}: signIn(input: { email: "${name}${at}@x.example" })`).join(
        ' ',
      );
    const plain = `mutation { ${aliases('a', 21)} }`;
    expect(outcome(await post(world.url, plain, {}, from('198.51.100.1')))).toEqual(REFUSED);
    const spread = `mutation { ...F ... on Mutation { ...G } } fragment F on Mutation { ${aliases('a', 10)} } fragment G on Mutation { ${aliases('b', 11)} }`;
    expect(outcome(await post(world.url, spread, {}, from('198.51.100.2')))).toEqual(REFUSED);
    const same = `mutation { ${Array.from({ length: 6 }, (_, index) => `a${index}: signIn(input: { email: "same@x.example" })`).join(' ')} }`;
    expect(outcome(await post(world.url, same, {}, from('198.51.100.3')))).toEqual(REFUSED);
    expect(world.executed).toEqual([]);
  });

  test('a field that is selected twice at one place is executed once and counts once', async () => {
    const twice =
      'mutation { ...F ...F signIn(input: { email: "a@x.example" }) } fragment F on Mutation { signIn(input: { email: "a@x.example" }) }';
    for (let attempt = 0; attempt < 5; attempt++)
      expect(outcome(await post(world.url, twice, {}, from('198.51.100.1')))).toBe(200);
    expect(outcome(await post(world.url, twice, {}, from('198.51.100.1')))).toEqual(REFUSED);
  });

  test('what @skip and @include leave out does not count, by a variable or its default', async () => {
    const maybe = `query ($on: Boolean! = false) { who a: rare @include(if: $on) b: rare @skip(if: true) ... @include(if: $on) { c: rare } }`;
    for (let attempt = 0; attempt < 5; attempt++)
      expect(outcome(await post(world.url, maybe, {}, from('198.51.100.1')))).toBe(200);
    expect(outcome(await post(world.url, maybe, { on: true }, from('198.51.100.1')))).toBe(200);
    expect(outcome(await post(world.url, maybe, { on: true }, from('198.51.100.1')))).toEqual(REFUSED);
    expect(world.count('rare')).toBe(2);
  });

  test('fields below the root count, also behind an interface', async () => {
    for (const [query, field] of [
      ['{ deep { secret } }', 'secret'],
      ['{ thing { guarded } }', 'guarded'],
      ['{ thing { ... on Safe { guarded } } }', 'guarded'],
      ['{ thing { ... on Watched { watched } } }', 'watched'],
      ['{ thing { ... on Safe { watched } } }', 'watched'],
    ] as const) {
      await using own = await aCountingWorld();
      const outcomes: unknown[] = [];
      for (let attempt = 0; attempt < 5; attempt++) outcomes.push(outcome(await post(own.url, query, {}, from('::9'))));
      expect(outcomes).toEqual([200, 200, 200, REFUSED, REFUSED]);
      expect(own.count(field)).toBe(3);
    }
  });
});

describe('every transport', () => {
  const QUERY = '{ rare }';
  type Ask = (url: string) => Promise<unknown>;
  const json = async (response: Response): Promise<unknown> => {
    const text = await response.text();
    const code = /"code":"(\w+)"/.exec(text)?.[1];
    return code ? [response.status, code, Number(response.headers.get('retry-after'))] : response.status;
  };
  const refused = [429, 'RATE_LIMITED', 600];
  const asks: [string, Ask, unknown, unknown][] = [
    ['POST', async (url) => json(await fetch(url, jsonOf(QUERY))), 200, refused],
    [
      'POST for application/json',
      async (url) => json(await fetch(url, jsonOf(QUERY, { accept: 'application/json' }))),
      200,
      refused,
    ],
    [
      'GET',
      async (url) => json(await fetch(`${url}?query={rare}`, { headers: { 'apollo-require-preflight': '1' } })),
      200,
      refused,
    ],
    [
      '@defer',
      async (url) =>
        json(
          await fetch(
            url,
            jsonOf('{ who ... @defer { rare } }', { accept: 'multipart/mixed;deferSpec=20220824, application/json' }),
          ),
        ),
      200,
      refused,
    ],
    [
      'server-sent events',
      async (url) =>
        (await (await fetch(url, jsonOf(QUERY, { accept: 'text/event-stream' }))).text()).includes('RATE_LIMITED'),
      false,
      true,
    ],
    [
      'subscriptions',
      async (url) =>
        (await (await fetch(url, jsonOf('subscription { ticks }', { accept: 'text/event-stream' }))).text()).includes(
          'RATE_LIMITED',
        ),
      false,
      true,
    ],
    [
      'multipart subscriptions',
      async (url) =>
        json(
          await fetch(
            url,
            jsonOf('subscription { ticks }', {
              accept: 'multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json',
            }),
          ),
        ),
      200,
      refused,
    ],
  ];

  test.each(asks)('%s', async (_name, ask, allowed, refusal) => {
    await using world = await aCountingWorld();
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 5; attempt++) outcomes.push(await ask(world.url));
    expect(outcomes).toEqual([allowed, allowed, allowed, refusal, refusal]);
    expect(world.executed.filter(({ field }) => field !== 'who')).toHaveLength(3);
  });

  test('WebSocket, and all transports together', async () => {
    await using world = await aCountingWorld();
    const raw = await aRawSocket(world.url.replace('http', 'ws'), { init: undefined });
    for (const id of ['1', '2']) {
      raw.send({ id, type: 'subscribe', payload: { query: QUERY } });
      await raw.receive('complete', id);
    }
    expect(outcome(await post(world.url, QUERY))).toBe(200);
    raw.send({ id: '3', type: 'subscribe', payload: { query: QUERY } });
    expect((await raw.receive('error', '3')).payload).toMatchObject([
      { extensions: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) } },
    ]);
    expect(outcome(await post(world.url, QUERY))).toEqual(REFUSED);
    expect(world.count('rare')).toBe(3);
    raw.socket.terminate();
  });

  test('uploads', async () => {
    await using world = await aCountingWorld();
    const upload = async (): Promise<unknown> =>
      outcome(
        await sendMultipart(
          world.url,
          multipart(uploadParts('mutation ($f0: Upload!) { upload(file: $f0) }', [{ body: 'bytes' }])),
          { headers: { authorization: `Bearer ${TOKENS.alice}`, 'apollo-require-preflight': 'true' } },
        ),
      );
    expect([await upload(), await upload(), await upload(), await upload()]).toEqual([200, 200, 200, REFUSED]);
  });

  test('a mutation by GET is not executed at all', async () => {
    await using world = await aCountingWorld();
    const query = encodeURIComponent('mutation { signIn(input: { email: "a@x.example" }) }');
    const { status } = await fetch(`${world.url}?query=${query}`, { headers: { 'apollo-require-preflight': '1' } });
    expect([status, world.executed]).toEqual([405, []]);
  });
});

describe('who is counted', () => {
  const ask = async (world: EdgeWorld, headers: Record<string, string>, query = '{ rare }'): Promise<unknown> =>
    outcome(await post(world.url, query, {}, { headers }));

  test('without a trusted proxy a fresh address in each request is no other source', async () => {
    await using world = await aCountingWorld({ trustedProxies: [] });
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 100; attempt++) {
      const address = `203.0.113.${attempt}`;
      const claims = {
        'x-forwarded-for': address,
        forwarded: `for=${address}`,
        'x-real-ip': address,
        'cf-connecting-ip': address,
        'true-client-ip': address,
        x_forwarded_for: address,
      };
      outcomes.push(await ask(world, claims));
    }
    expect(outcomes.filter((each) => each === 200)).toHaveLength(3);
  });

  test('behind one only the address it saw counts, whatever the client wrote before', async () => {
    await using world = await aCountingWorld();
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 50; attempt++)
      outcomes.push(
        await ask(world, { 'x-forwarded-for': `203.0.113.${attempt}, 198.51.100.7`, 'x-real-ip': `::${attempt}` }),
      );
    expect(outcomes.filter((each) => each === 200)).toHaveLength(3);
    expect(await ask(world, { 'x-forwarded-for': '198.51.100.8' })).toBe(200);
  });

  test('the addresses of one IPv6 network of 64 bits are one source', async () => {
    await using world = await aCountingWorld();
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 50; attempt++)
      outcomes.push(
        await ask(world, { 'x-forwarded-for': `2001:db8:1:2:${attempt.toString(16)}::${attempt.toString(16)}` }),
      );
    expect(outcomes.filter((each) => each === 200)).toHaveLength(3);
    expect(await ask(world, { 'x-forwarded-for': '2001:db8:1:3::1' })).toBe(200);
  });

  test('an account is one wherever it is, and a source without an account has a count of its own', async () => {
    await using world = await aCountingWorld();
    const change = 'mutation { change }';
    const as = (token: string, address: string): Promise<unknown> =>
      ask(world, { authorization: `Bearer ${token}`, 'x-forwarded-for': address }, change);
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < 5; attempt++) outcomes.push(await as(TOKENS.alice, `198.51.100.${attempt}`));
    expect(outcomes).toEqual([200, 200, 200, REFUSED, REFUSED]);
    expect(await as(TOKENS.bob, '198.51.100.1')).toBe(200);
    expect(await ask(world, { 'x-forwarded-for': '198.51.100.1' }, change)).toBe(200);
  });

  test('root fields of everything have a budget, by account or source', async () => {
    const rateLimits = { store: memoryCounterStore(), general: { limit: 10, windowS: 600 } };
    await using world = await aCountingWorld({ rateLimits });
    const query = '{ a: who b: who c: who d: who e: who }';
    const alice = { authorization: `Bearer ${TOKENS.alice}` };
    expect([await ask(world, {}, query), await ask(world, {}, query), await ask(world, {}, '{ who }')]).toEqual([
      200,
      200,
      REFUSED,
    ]);
    expect([await ask(world, alice, query), await ask(world, alice, '{ who }')]).toEqual([200, 200]);
  });

  test('a factor allows so many times as much, and another supergraph goes on counting', async () => {
    await using world = await aCountingWorld({ rateLimits: { store: memoryCounterStore(), factor: 2, general: null } });
    const outcomes = [await ask(world, {}), await ask(world, {}), await ask(world, {}), await ask(world, {})];
    await world.gateway.update(`${world.supergraphSdl}\n# the same, later`);
    expect([...outcomes, await ask(world, {}), await ask(world, {}), await ask(world, {})]).toEqual([
      ...Array<unknown>(6).fill(200),
      REFUSED,
    ]);
  });

  test('without rate limits nothing is counted', async () => {
    await using world = await anEdgeWorld('in process');
    for (let attempt = 0; attempt < 30; attempt++) expect(await ask(world, {})).toBe(200);
  });
});

/** A store, and everything that it was asked to count under. */
function recording(store: CounterStore): { store: CounterStore; keys: Set<string> } {
  const keys = new Set<string>();
  const counter: CounterStore['counter'] = (name, limit, windowS) => {
    const counted = store.counter(name, limit, windowS);
    return {
      add(key, points) {
        keys.add(`${name} ${key}`);
        return counted.add(key, points);
      },
    };
  };
  return { store: { ...store, counter }, keys };
}

function jsonOf(query: string, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify({ query }),
  };
}
