import { composeServices } from '@apollo/composition';
import { gql } from 'graphql-tag';
import { GraphQLError } from 'graphql';
import { SautiError } from '../../platform/errors';
import { silentLogger } from '../../platform/logger';
import { buildSubgraph } from '../../platform/subgraph/build-subgraph';
import type { Subgraph, SubgraphCallOptions } from '../../platform/subgraph/subgraph';
import { GraphQLUpload, type FileUpload } from '../../platform/subgraph/uploads';
import { createFeed, type Feed } from './feed';
import { createHash } from 'node:crypto';

/**
 * A small shop in three subgraphs, for tests of the gateway: it has nothing to do with what Sauti serves. Resolvers
 * return whole records, so the same resolvers also serve one unsplit schema to compare with.
 */
const FEDERATION = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@requires", "@external", "@shareable", "@interfaceObject", "@inaccessible", "@provides"])`;

export const TYPE_DEFS: Record<ShopName, string> = {
  accounts: `${FEDERATION}
    type Query { me: User  user(id: ID!): User  users: [User!]!  who: String  slow(ms: Int!): String  slowUser: User  boom: String  mustBoom: String! }
    type Mutation { renameUser(id: ID!, name: String!): User  touchAccounts: Int! }
    type User @key(fields: "id") { id: ID!  name: String!  email: String  secret: String  mustFail: String!  tags: [String!]!  partner: User }
    type Subscription { renamed: User!  }`,
  products: `${FEDERATION}
    scalar Upload
    enum Currency { EUR USD }
    input Filter { text: String  max: Int = 1000  in: [ID!] }
    type Query { product(upc: ID!): Product  products(first: Int = 10, filter: Filter): [Product!]!  matrix: [[Book]!]!  search(text: String!): [Result!]!  echo(value: String, filter: Filter, list: [Int!]): String }
    type Mutation { setPrice(upc: ID!, price: Int!): Product!  touchProducts: Int!  store(file: Upload!, note: String): StoredFile!  storeAll(files: [Upload!]!): [StoredFile!]!  refuse(file: Upload!): String  storeTwo(first: Upload!, second: Upload): [StoredFile!]! }
    type StoredFile { name: String!  type: String!  sizeBytes: Int!  sha256: String!  owner: User }
    interface Product { upc: ID!  title: String!  price(currency: Currency = EUR): Int!  weight: Int!  maker: Maker }
    type Book implements Product @key(fields: "upc") { upc: ID!  title: String!  price(currency: Currency = EUR): Int!  weight: Int!  maker: Maker  author: User!  pages: Int }
    type Film implements Product @key(fields: "upc") { upc: ID!  title: String!  price(currency: Currency = EUR): Int!  weight: Int!  maker: Maker  director: User  pages: String }
    type Maker @shareable { name: String!  country: String }
    union Result = Book | Film | Maker
    type User @key(fields: "id") { id: ID!  favourites: [Product!]!  signature: String @requires(fields: "name email") @inaccessible  card: String @requires(fields: "name")  name: String! @external  email: String @external }
    type Subscription { priceChanged(upc: ID): PriceChange!  count(to: Int!, failAt: Int): Tick!  broken: Tick!  quiet: Tick!  bulk(times: Int!, sizeBytes: Int!): Tick! }
    type PriceChange { product: Product!  old: Int!  now: Int! }
    type Tick { n: Int!  text: String  user: User  fails: String }`,
  reviews: `${FEDERATION}
    type Query { review(id: ID!): Review  latest(first: Int = 3): [Review!]!  maybe: Review }
    type Mutation { addReview(upc: ID!, text: String!, by: ID!): Review! }
    type Review @key(fields: "id") { id: ID!  text: String!  stars: Int!  author: User!  about: Reviewed! }
    union Reviewed = Book | Film
    type Book @key(fields: "upc") { upc: ID!  reviews(first: Int = 10): [Review!]!  price(currency: Currency = EUR): Int! @external  weight: Int! @external  postage: Int! @requires(fields: "weight price")  rating: Float }
    type Film @key(fields: "upc") { upc: ID!  reviews(first: Int = 10): [Review!]!  rating: Float! }
    enum Currency { EUR USD }
    type User @key(fields: "id") { id: ID!  reviews: [Review!]!  karma: Int!  flaky: String  mustFlake: String! }`,
};

export type ShopName = 'accounts' | 'products' | 'reviews';
export const SHOP_NAMES: readonly ShopName[] = ['accounts', 'products', 'reviews'];

interface User {
  __typename: 'User';
  id: string;
  name: string;
  email: string | null;
  tags: string[];
  partnerId?: string;
}
interface Product {
  __typename: 'Book' | 'Film';
  upc: string;
  title: string;
  cents: number;
  weight: number;
  makerName: string | null;
  byId: string | null;
  pages: number | string | null;
}
interface Review {
  __typename: 'Review';
  id: string;
  text: string;
  stars: number;
  by: string;
  upc: string;
}

/** The shop's records and what its subgraphs were asked; one for each test that changes something. */
export class Shop {
  readonly users = new Map<string, User>(
    [
      ['u1', 'Ada', 'ada@example.org', ['admin', 'early'], 'u2'],
      ['u2', 'Grace', null, [], 'u1'],
      ['u3', 'Linus', 'linus@example.org', ['late'], undefined],
    ].map(([id, name, email, tags, partnerId]) => [id, { __typename: 'User', id, name, email, tags, partnerId }]) as [
      string,
      User,
    ][],
  );
  readonly products = new Map<string, Product>(
    [
      ['Book', 'b1', 'Notes', 1000, 300, 'Penguin', 'u1', 120],
      ['Book', 'b2', 'Compilers', 2500, 900, null, 'u2', null],
      ['Film', 'f1', 'Sneakers', 800, 100, 'Universal', null, '2 reels'],
      ['Film', 'f2', 'Pi', 500, 90, 'Harvest', 'u3', '1 reel'],
    ].map(([__typename, upc, title, cents, weight, makerName, byId, pages]) => [
      upc,
      { __typename, upc, title, cents, weight, makerName, byId, pages },
    ]) as [string, Product][],
  );
  readonly reviews = new Map<string, Review>(
    [
      ['r1', 'Great', 5, 'u2', 'b1'],
      ['r2', 'Fine', 3, 'u3', 'b1'],
      ['r3', 'Dull', 1, 'u2', 'f1'],
      ['r4', 'Deep', 4, 'u1', 'b2'],
    ].map(([id, text, stars, by, upc]) => [id, { __typename: 'Review', id, text, stars, by, upc }]) as [
      string,
      Review,
    ][],
  );
  /** Who was called with what, in order. */
  readonly calls: { subgraph: string; query: string; variables: Record<string, unknown>; identity: unknown }[] = [];
  readonly aborted: string[] = [];
  readonly log: string[] = [];
  readonly feeds: { price: Feed<unknown>; rename: Feed<unknown>; quiet: Feed<unknown> } = {
    price: createFeed(),
    rename: createFeed(),
    quiet: createFeed(),
  };
  sent = 0;
  /** While it is pending, uploads are taken but not read. */
  hold: Promise<void> | undefined;

  /** Puts everything back, for tests that share a running shop. */
  reset(): void {
    Object.assign(this, new Shop());
  }
}

export interface ShopContext {
  shop: Shop;
  call: SubgraphCallOptions;
}
type Resolver = (parent: never, args: never, context: ShopContext) => unknown;
type Resolvers = Record<string, Record<string, Resolver | { subscribe: Resolver; resolve?: Resolver }>>;

async function stored(upload: Promise<FileUpload>, owner: string | null, hold?: Promise<void>): Promise<object> {
  const file = await upload;
  await hold;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of file.createReadStream() as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return {
    name: file.filename,
    type: file.mimetype,
    sizeBytes,
    sha256: hash.digest('hex'),
    owner: owner ? { __typename: 'User', id: owner } : null,
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

async function slowly(ms: number, { shop, call }: ShopContext): Promise<string> {
  await pause(ms, call.signal);
  if (call.signal.aborted) shop.aborted.push('slow');
  return 'slow';
}

async function* counting(to: number, failAt: number | undefined, { shop }: ShopContext): AsyncGenerator<object> {
  for (let n = 1; n <= to; n++) {
    if (n === failAt) throw new SautiError('ENGINE_UNAVAILABLE', 'The counter is out of order.');
    shop.sent++;
    yield { count: { n, text: `tick ${n}`, user: { __typename: 'User', id: `u${1 + (n % 3)}` } } };
  }
}

const product = {
  __resolveReference: (ref: { upc: string }, { shop }: ShopContext) => shop.products.get(ref.upc) ?? null,
  price: (parent: Product, { currency }: { currency: string }) =>
    currency === 'USD' ? parent.cents * 2 : parent.cents,
  maker: (parent: Product) =>
    parent.makerName && {
      __typename: 'Maker',
      name: parent.makerName,
      country: parent.makerName === 'Penguin' ? 'UK' : null,
    },
};
const reviewed = {
  __resolveReference: (ref: object, { shop }: ShopContext) => ({ ...shop.products.get((ref as Product).upc), ...ref }),
  reviews: ({ upc }: Product, { first }: { first: number }, { shop }: ShopContext) =>
    [...shop.reviews.values()].filter((review) => review.upc === upc).slice(0, first),
};

export const RESOLVERS: Record<ShopName, Resolvers> = {
  accounts: {
    Query: {
      me: (_: unknown, __: unknown, { shop }: ShopContext) => shop.users.get('u1'),
      user: (_: unknown, { id }: { id: string }, { shop }: ShopContext) => shop.users.get(id) ?? null,
      users: (_: unknown, __: unknown, { shop }: ShopContext) => [...shop.users.values()],
      who: (_: unknown, __: unknown, { call }: ShopContext) => call.identity.viewer?.userId ?? null,
      slow: (_: unknown, { ms }: { ms: number }, context: ShopContext) => slowly(ms, context),
      slowUser: async (_: unknown, __: unknown, context: ShopContext) => {
        await slowly(60_000, context);
        return null;
      },
      boom: () => {
        throw new Error('password=hunter2 at /srv/accounts.js:12');
      },
      mustBoom: () => {
        throw new SautiError('FORBIDDEN', 'Not for you.');
      },
    },
    Mutation: {
      renameUser: (_: unknown, { id, name }: { id: string; name: string }, { shop }: ShopContext) => {
        const user = shop.users.get(id);
        if (!user) throw new SautiError('NOT_FOUND', 'There is no such user.');
        user.name = name;
        shop.log.push(`rename ${id}`);
        shop.feeds.rename.push({ renamed: user });
        return user;
      },
      touchAccounts: async (_: unknown, __: unknown, { shop }: ShopContext) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return shop.log.push('accounts');
      },
    },
    User: {
      __resolveReference: ({ id }: { id: string }, { shop }: ShopContext) => shop.users.get(id) ?? null,
      secret: () => {
        throw new SautiError('FORBIDDEN', 'This is private.');
      },
      mustFail: () => {
        throw new SautiError('FORBIDDEN', 'This must fail.');
      },
      partner: ({ partnerId }: User, __: unknown, { shop }: ShopContext) =>
        partnerId ? shop.users.get(partnerId) : null,
    },
    Subscription: {
      renamed: {
        subscribe: (_: unknown, __: unknown, { shop, call }: ShopContext) => shop.feeds.rename.subscribe(call.signal),
      },
    },
  },
  products: {
    Query: {
      product: (_: unknown, { upc }: { upc: string }, { shop }: ShopContext) => shop.products.get(upc) ?? null,
      products: (
        _: unknown,
        { first, filter }: { first: number; filter?: { text?: string; max: number; in?: string[] } },
        { shop }: ShopContext,
      ) =>
        [...shop.products.values()]
          .filter(
            ({ title, cents, upc }) =>
              !filter ||
              (title.includes(filter.text ?? '') && cents <= filter.max && (!filter.in || filter.in.includes(upc))),
          )
          .slice(0, first),
      matrix: (_: unknown, __: unknown, { shop }: ShopContext) => [
        [shop.products.get('b1'), null],
        [],
        [shop.products.get('b2'), shop.products.get('b1')],
      ],
      search: (_: unknown, { text }: { text: string }, { shop }: ShopContext) => [
        ...[...shop.products.values()].filter(({ title }) => title.includes(text)),
        { __typename: 'Maker', name: text, country: null },
      ],
      echo: (_: unknown, args: unknown) => JSON.stringify(args),
    },
    Mutation: {
      setPrice: (_: unknown, { upc, price }: { upc: string; price: number }, { shop }: ShopContext) => {
        const found = shop.products.get(upc);
        if (!found) throw new SautiError('NOT_FOUND', 'There is no such product.');
        const old = found.cents;
        found.cents = price;
        shop.log.push(`price ${upc}`);
        shop.feeds.price.push({ priceChanged: { product: found, old, now: price } });
        return found;
      },
      touchProducts: (_: unknown, __: unknown, { shop }: ShopContext) => shop.log.push('products'),
      store: (_: unknown, { file }: { file: Promise<FileUpload> }, { shop, call }: ShopContext) =>
        stored(file, call.identity.viewer?.userId ?? null, shop.hold),
      storeAll: async (_: unknown, { files }: { files: Promise<FileUpload>[] }) => {
        const results: object[] = [];
        for (const file of files) results.push(await stored(file, null));
        return results;
      },
      storeTwo: async (_: unknown, { first, second }: { first: Promise<FileUpload>; second?: Promise<FileUpload> }) => [
        await stored(first, null),
        ...(second ? [await stored(second, null)] : []),
      ],
      refuse: () => {
        throw new SautiError('FORBIDDEN', 'No files today.');
      },
    },
    Product: { __resolveType: ({ __typename }: Product) => __typename },
    Result: { __resolveType: ({ __typename }: Product) => __typename },
    Book: {
      ...product,
      author: ({ byId }: Product, __: unknown, { shop }: ShopContext) => shop.users.get(byId ?? ''),
    },
    Film: {
      ...product,
      director: ({ byId }: Product, __: unknown, { shop }: ShopContext) => (byId ? shop.users.get(byId) : null),
    },
    User: {
      __resolveReference: (ref: { id: string }, { shop }: ShopContext) => ({ ...shop.users.get(ref.id), ...ref }),
      favourites: ({ id }: User, __: unknown, { shop }: ShopContext) =>
        id === 'u1' ? [shop.products.get('f1'), shop.products.get('b2')] : [],
      card: ({ name }: User) => `Card of ${name}`,
      signature: ({ name, email }: User) => `${name} <${email}>`,
    },
    Subscription: {
      priceChanged: {
        subscribe: (_: unknown, __: unknown, { shop, call }: ShopContext) => shop.feeds.price.subscribe(call.signal),
      },
      count: {
        subscribe: (_: unknown, { to, failAt }: { to: number; failAt?: number }, context: ShopContext) =>
          counting(to, failAt, context),
      },
      quiet: {
        subscribe: (_: unknown, __: unknown, { shop, call }: ShopContext) => shop.feeds.quiet.subscribe(call.signal),
      },
      broken: {
        subscribe: () => {
          throw new SautiError('FORBIDDEN', 'Nobody may listen.');
        },
      },
      bulk: {
        subscribe: async function* (
          _: unknown,
          { times, sizeBytes }: { times: number; sizeBytes: number },
          { shop }: ShopContext,
        ) {
          for (let n = 1; n <= times; n++) {
            shop.sent++;
            yield { bulk: { n, text: 'x'.repeat(sizeBytes) } };
          }
        },
      },
    },
    Tick: {
      fails: () => {
        throw new SautiError('FORBIDDEN', 'This is private.');
      },
    },
  },
  reviews: {
    Query: {
      review: (_: unknown, { id }: { id: string }, { shop }: ShopContext) => shop.reviews.get(id) ?? null,
      latest: (_: unknown, { first }: { first: number }, { shop }: ShopContext) =>
        [...shop.reviews.values()].slice(0, first),
      maybe: () => null,
    },
    Mutation: {
      addReview: (_: unknown, { upc, text, by }: { upc: string; text: string; by: string }, { shop }: ShopContext) => {
        const review: Review = { __typename: 'Review', id: `r${shop.reviews.size + 1}`, text, stars: 2, by, upc };
        shop.reviews.set(review.id, review);
        shop.log.push(`review ${upc}`);
        return review;
      },
    },
    Review: {
      __resolveReference: ({ id }: { id: string }, { shop }: ShopContext) => shop.reviews.get(id) ?? null,
      author: ({ by }: Review, __: unknown, { shop }: ShopContext) => shop.users.get(by),
      about: ({ upc }: Review, __: unknown, { shop }: ShopContext) => shop.products.get(upc),
    },
    Reviewed: { __resolveType: ({ __typename }: Product) => __typename },
    Book: {
      ...reviewed,
      postage: (parent: Product & { price?: number }) => parent.weight + (parent.price ?? parent.cents),
      rating: () => 4.5,
    },
    Film: { ...reviewed, rating: () => 3 },
    User: {
      __resolveReference: (ref: { id: string }, { shop }: ShopContext) => ({ ...shop.users.get(ref.id), ...ref }),
      reviews: ({ id }: User, __: unknown, { shop }: ShopContext) =>
        [...shop.reviews.values()].filter(({ by }) => by === id),
      karma: ({ id }: User) => Number(id.slice(1)) * 10,
      flaky: ({ id }: User) => {
        if (id === 'u2') throw new SautiError('FORBIDDEN', 'Flaky for u2.');
        return `steady ${id}`;
      },
      mustFlake: ({ id }: User) => {
        if (id === 'u2')
          throw new GraphQLError('Must not be null for u2.', { extensions: { code: 'TEAPOT', stack: 'private' } });
        return `steady ${id}`;
      },
    },
  },
};

let composed: string | undefined;

/** The shop's supergraph; routing URLs lead nowhere unless given. */
export function shopSupergraph(urls: Partial<Record<ShopName, string>> = {}): string {
  if (!composed) {
    const result = composeServices(
      SHOP_NAMES.map((name) => ({ name, url: `http://${name}.invalid/graphql`, typeDefs: gql(TYPE_DEFS[name]) })),
    );
    if (result.errors) throw new Error(result.errors.map(({ message }) => message).join('\n'));
    composed = result.supergraphSdl;
  }
  return SHOP_NAMES.reduce(
    (sdl, name) => sdl.replace(`http://${name}.invalid/graphql`, urls[name] ?? `http://${name}.invalid/graphql`),
    composed,
  );
}

/** The three subgraphs over one shop. */
export function shopSubgraphs(shop: Shop): Map<ShopName, Subgraph> {
  return new Map(SHOP_NAMES.map((name) => [name, shopSubgraph(shop, name)]));
}

function shopSubgraph(shop: Shop, name: ShopName): Subgraph {
  const subgraph = buildSubgraph<ShopContext>({
    name,
    typeDefs: TYPE_DEFS[name],
    resolvers: { ...(name === 'products' ? { Upload: GraphQLUpload } : {}), ...RESOLVERS[name] },
    createContext: (call) => ({ shop, call }),
    logger: silentLogger,
    byteRoutes: [(_request, response, url) => url.pathname === `/${name}/bytes` && !!response.end(name)],
    ready: async () => {},
  });
  const record = (query: string, variables: Record<string, unknown> | undefined, call: SubgraphCallOptions): void =>
    void shop.calls.push({ subgraph: name, query, variables: variables ?? {}, identity: call.identity });
  return {
    ...subgraph,
    execute(request, call) {
      record(request.query, request.variables, call);
      return subgraph.execute(request, call);
    },
    subscribe(request, call) {
      record(request.query, request.variables, call);
      return subgraph.subscribe(request, call);
    },
  };
}
