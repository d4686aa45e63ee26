import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import { silentLogger } from '../../../platform/logger';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { createEngine, type PreparedOperation } from '../../engine';
import { resultOf } from '../../execute/execution';
import { inProcessTransport } from '../../fetch/in-process';
import { subgraphOperation, type SubgraphAnswer, type SubgraphCall, type Transport } from '../../fetch/transport';
import { MODES, type Mode } from '../../testing/gateways';
import { aRequest } from '../../testing/planning';
import { Shop, shopSubgraphs, shopSupergraph, type ShopName } from '../../testing/shop';
import { aCall, aTransport } from '../../testing/transport';
import { loadSupergraph } from '../../supergraph/supergraph';
import { createCallMerger } from './transports';

const SECRET = 'a secret that only tests know, of decent length';
const DEADLINES = { query: 10_000, mutation: 10_000 };

describe.each(MODES)('%s', (mode) => {
  test('fields that several select of one entity are asked for in one field, and each gets its own', async () => {
    await using shop = await aMergedShop(mode);
    const answers = await shop.ask('accounts', [
      entities('...on User{name partner{name}}', USERS),
      entities('...on User{email partner{id tags}}', USERS),
      entities('...on User{mail:email}', USERS),
    ]);
    expect(answers).toEqual([
      entitiesAre([
        { name: 'Ada', partner: { name: 'Grace' } },
        { name: 'Grace', partner: { name: 'Ada' } },
      ]),
      entitiesAre([
        { email: 'ada@example.org', partner: { id: 'u2', tags: [] } },
        { email: null, partner: { id: 'u1', tags: ['admin', 'early'] } },
      ]),
      entitiesAre([{ mail: 'ada@example.org' }, { mail: null }]),
    ]);
    expect(shop.calls()).toEqual([
      [
        'query($r0:[_Any!]!){_0:_entities(representations:$r0){...on User{email mail:email name partner{id name tags}}}}',
        { r0: USERS },
      ],
    ]);
  });

  test('one field with different arguments is asked for twice, with equal ones once', async () => {
    await using shop = await aMergedShop(mode);
    const priceIn = (currency: string, variable: string, more = ''): SubgraphCall =>
      entities(`...on Book{price(currency:$${variable})${more}}`, [{ __typename: 'Book', upc: 'b1' }], {
        [`$${variable}:Currency`]: currency,
      });
    const answers = await shop.ask('products', [
      priceIn('EUR', 'to'),
      priceIn('USD', 'to'),
      priceIn('USD', 'in', ' title'),
    ]);
    expect(answers).toEqual([
      entitiesAre([{ price: 1000 }]),
      entitiesAre([{ price: 2000 }]),
      entitiesAre([{ price: 2000, title: 'Notes' }]),
    ]);
    const [[query, variables] = [], ...others] = shop.calls();
    expect(others).toEqual([]);
    expect(query?.match(/_entities\(representations:\$r0\)/g)).toHaveLength(2);
    expect(Object.values(variables ?? {}).sort()).toEqual(['EUR', 'USD', [{ __typename: 'Book', upc: 'b1' }]]);
  });

  test('different fields under one name stand side by side', async () => {
    await using shop = await aMergedShop(mode);
    const answers = await shop.ask('accounts', [
      entities('...on User{a:name partner{b:id}}', USERS),
      entities('...on User{a:email}', USERS),
      entities('...on User{partner{b:name}}', USERS),
    ]);
    expect(answers).toEqual([
      entitiesAre([
        { a: 'Ada', partner: { b: 'u2' } },
        { a: 'Grace', partner: { b: 'u1' } },
      ]),
      entitiesAre([{ a: 'ada@example.org' }, { a: null }]),
      entitiesAre([{ partner: { b: 'Grace' } }, { partner: { b: 'Ada' } }]),
    ]);
    expect(shop.calls()).toHaveLength(1);
  });

  test('the same fields of different entities are asked for of all of them, each once', async () => {
    await using shop = await aMergedShop(mode);
    const answers = await shop.ask('reviews', [
      entities('...on User{karma flaky}', [user('u1'), user('u2')]),
      entities('...on User{karma flaky}', [user('u2'), user('u3')]),
      entities('...on User{karma flaky}', [user('u3')]),
    ]);
    const flaky = (index: number): object => ({
      message: 'Flaky for u2.',
      path: ['_entities', index, 'flaky'],
      extensions: { code: 'FORBIDDEN' },
    });
    expect(answers).toEqual([
      {
        ...entitiesAre([
          { karma: 10, flaky: 'steady u1' },
          { karma: 20, flaky: null },
        ]),
        errors: [flaky(1)],
      },
      {
        ...entitiesAre([
          { karma: 20, flaky: null },
          { karma: 30, flaky: 'steady u3' },
        ]),
        errors: [flaky(0)],
      },
      entitiesAre([{ karma: 30, flaky: 'steady u3' }]),
    ]);
    const [[, variables] = []] = shop.calls();
    expect(Object.values(variables ?? {}).flat()).toHaveLength(3);
    expect(shop.calls()).toHaveLength(1);
  });

  test('an error is told to those only who selected its field', async () => {
    await using shop = await aMergedShop(mode);
    const [first, second] = await shop.ask('reviews', [
      entities('...on User{karma}', USERS),
      entities('...on User{flaky}', USERS),
    ]);
    expect(first).toEqual(entitiesAre([{ karma: 10 }, { karma: 20 }]));
    expect(second?.errors).toHaveLength(1);
    expect(shop.calls()).toHaveLength(1);
  });

  test('an error that empties an entity costs those nothing who did not select its field', async () => {
    await using shop = await aMergedShop(mode);
    const ask = (): Promise<SubgraphAnswer[]> =>
      shop.ask('reviews', [entities('...on User{karma}', USERS), entities('...on User{mustFlake}', USERS)]);
    const emptied = {
      message: 'Must not be null for u2.',
      path: ['_entities', 1, 'mustFlake'],
      extensions: { code: 'TEAPOT', stack: 'private' },
    };
    const expected = [
      entitiesAre([{ karma: 10 }, { karma: 20 }]),
      { ...entitiesAre([{ mustFlake: 'steady u1' }, null]), errors: [emptied] },
    ];
    expect(await ask()).toEqual(expected);
    expect(shop.calls()).toHaveLength(2);
    // From then on the field has an entity for itself.
    expect(await ask()).toEqual(expected);
    expect(shop.calls()).toHaveLength(3);
    expect(shop.calls()[2]![0].match(/_entities/g)).toHaveLength(2);
  });

  test('one call that makes a request fail as a whole costs the others nothing, and later goes alone', async () => {
    await using shop = await aMergedShop(mode);
    const ask = (): Promise<SubgraphAnswer[]> =>
      shop.ask('accounts', [
        entities('...on User{name}', USERS),
        entities('...on User{id}', [{ __typename: 'Nobody', id: 'u1' }]),
        entities('...on User{email}', USERS),
      ]);
    for (const count of [4, 6]) {
      const [first, second, third] = await ask();
      expect(first).toEqual(entitiesAre([{ name: 'Ada' }, { name: 'Grace' }]));
      expect(second).toMatchObject({ errors: [{ path: ['_entities'] }] });
      expect(third).toEqual(entitiesAre([{ email: 'ada@example.org' }, { email: null }]));
      expect(shop.calls()).toHaveLength(count);
    }
  });

  test('equal calls are sent once, and each asker may change its answer', async () => {
    await using shop = await aMergedShop(mode);
    const call = (): SubgraphCall => aQuery('{ users { name tags } }');
    const [first, second] = await shop.ask('accounts', [call(), call(), aQuery('{ me { name } }')]);
    expect(shop.calls()).toHaveLength(2);
    (first!.data as { users: { tags: string[] }[] }).users[0]!.tags.push('changed');
    expect((second!.data as { users: object[] }).users[0]).toEqual({ name: 'Ada', tags: ['admin', 'early'] });
  });

  test('a call that is alone leaves as it is', async () => {
    await using shop = await aMergedShop(mode);
    const call = entities('...on User{name}', USERS);
    await shop.ask('accounts', [call]);
    expect(shop.calls().map(([query]) => query)).toEqual([call.operation.query]);
  });

  test('more fields than one request may have leave in several', async () => {
    await using shop = await aMergedShop(mode);
    const calls = Array.from({ length: 40 }, (_, first) =>
      entities('...on Book{reviews(first:$first){stars}}', [{ __typename: 'Book', upc: 'b1' }], {
        '$first:Int!': first,
      }),
    );
    const answers = await shop.ask('reviews', calls);
    const all = [{ stars: 5 }, { stars: 3 }];
    expect(answers).toEqual(calls.map((_, first) => entitiesAre([{ reviews: all.slice(0, first) }])));
    expect(shop.calls().map(([query]) => query.match(/_entities/g)?.length)).toEqual([30, 10]);
  });

  test('callers of different scopes never share a request', async () => {
    await using shop = await aMergedShop(mode);
    const of = (userId: string): SubgraphCall => ({
      ...entities('...on User{name}', USERS),
      identity: { viewer: { userId, sessionId: 's', scopes: [] }, requestId: 'test' },
    });
    await shop.ask('accounts', [of('u1'), of('u2'), of('u1')]);
    expect(shop.shop.calls.map(({ identity }) => identity)).toEqual(
      ['u1', 'u2'].map(
        (userId) => expect.objectContaining({ viewer: { userId, sessionId: 's', scopes: [] } }) as unknown,
      ),
    );
  });

  test('the order of calls does not matter for the document', async () => {
    await using shop = await aMergedShop(mode);
    const calls = ['name', 'email', 'a:email', 'a:name'].map((field) => entities(`...on User{${field}}`, USERS));
    await shop.ask('accounts', calls);
    await shop.ask('accounts', calls.reverse());
    const [first, second] = shop.calls();
    expect(second).toEqual(first);
  });

  test('operations that run at the same time share a request to each subgraph in each wave', async () => {
    await using shop = await aMergedShop(mode);
    const queries = [
      '{ latest { text author { name } } }',
      '{ latest { text author { email partner { karma } } } }',
      '{ latest { text author { who: name partner { flaky name } } } }',
    ];
    const together = await shop.run(queries);
    const requests = shop.calls().length;
    const alone: unknown[] = [];
    for (const query of queries) alone.push(...(await shop.run([query])));
    expect(together).toEqual(alone);
    // The same reviews, then all authors, then all partners; alone each takes two or three.
    expect([requests, shop.calls().length - requests]).toEqual([3, 8]);
  });
});

const USERS = [user('u1'), user('u2')];

function user(id: string): object {
  return { __typename: 'User', id };
}

function entitiesAre(items: unknown[]): SubgraphAnswer {
  return { data: { _entities: items } };
}

/** A fetch of entities; variables are given by their definitions. */
function entities(fields: string, representations: object[], variables: Record<string, unknown> = {}): SubgraphCall {
  const definitions = ['$representations:[_Any!]!', ...Object.keys(variables)].join(',');
  const values = Object.entries(variables).map(([key, value]) => [/^\$(\w+)/.exec(key)![1]!, value] as const);
  return aQuery(`query Test(${definitions}){_entities(representations:$representations){${fields}}}`, {
    ...Object.fromEntries(values),
    representations,
  });
}

function aQuery(query: string, variables: Record<string, unknown> = {}): SubgraphCall {
  return aCall({
    operation: subgraphOperation(query, query.startsWith('query Test') ? 'Test' : undefined, 'query'),
    variables: () => structuredClone(variables),
    variablesText: () => JSON.stringify(variables),
  });
}

interface MergedShop extends AsyncDisposable {
  shop: Shop;
  /** Queries and variables that subgraphs got. */
  calls(): [string, Record<string, unknown>][];
  /** Executes calls in one turn. Locations in errors are left out. */
  ask(subgraph: ShopName, calls: readonly SubgraphCall[]): Promise<SubgraphAnswer[]>;
  /** Runs operations at the same time. */
  run(queries: readonly string[]): Promise<unknown[]>;
}

/** The subgraphs of a shop behind merged transports. */
async function aMergedShop(mode: Mode): Promise<MergedShop> {
  const shop = new Shop();
  const opened: AsyncDisposable[] = [];
  const transports = new Map<string, Transport>();
  for (const [name, subgraph] of shopSubgraphs(shop)) {
    if (mode === 'in process') {
      transports.set(name, inProcessTransport(subgraph, DEADLINES));
      continue;
    }
    const callKey = deriveCallKey(SECRET, name);
    const served = await serveSubgraph({ subgraph, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
    const transport = aTransport(
      `http://127.0.0.1:${served.port}/graphql`,
      {},
      { name, signCall: (subgraphName, identity, body) => signCallIdentity(callKey, subgraphName, identity, body) },
    );
    transports.set(name, transport);
    opened.push(transport, served);
  }
  const merger = createCallMerger({ cacheSize: 100 });
  return {
    shop,
    calls: () => shop.calls.map(({ query, variables }) => [query, variables]),
    ask(subgraph, calls) {
      const transport = merger(transports).get(subgraph)!;
      return Promise.all(calls.map(async (call) => withoutLocations(await transport.execute(call))));
    },
    async run(queries) {
      await using supergraph = await loadSupergraph(shopSupergraph());
      await using engine = createEngine({
        supergraph,
        transports: merger(transports),
        logger: silentLogger,
        limits: { planCacheSize: 100, deadlineMs: 10_000, maxResponseLength: 1_000_000 },
        planning: {},
        store: undefined,
        overrideLabels: new Set(),
        authorization: {},
        showsAllMessages: true,
      });
      const { identity, authorization, signal } = aCall();
      const caller = { identity, authorization, signal };
      const prepared: PreparedOperation[] = [];
      for (const query of queries)
        prepared.push((await engine.prepare(aRequest(query), {}, caller)) as PreparedOperation);
      const answers = prepared.map((each) => engine.execute(each, caller));
      return (await Promise.all(answers)).map((answer) => JSON.parse(JSON.stringify(resultOf(answer))) as unknown);
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each[Symbol.asyncDispose]();
    },
  };
}

function withoutLocations({ data, errors }: SubgraphAnswer): SubgraphAnswer {
  const left = errors?.map(({ message, path, extensions }) => ({ message, path, extensions }));
  return { data, ...(left ? { errors: left } : {}) };
}
