import type { GraphQLObjectType } from 'graphql';
import { buildSchema, execute, isAbstractType, isObjectType, parse, printSchema, type GraphQLSchema } from 'graphql';
import { loadSupergraph } from '../supergraph/supergraph';
import { aRunningShop, MODES, post, type RunningShop } from '../testing/gateways';
import { RESOLVERS, Shop, shopSupergraph, type ShopContext } from '../testing/shop';

/** The API schema with all resolvers of all subgraphs in one place: what the gateway's answers must equal. */
async function unsplitSchema(): Promise<GraphQLSchema> {
  await using supergraph = await loadSupergraph(shopSupergraph());
  const schema = buildSchema(printSchema(supergraph.apiSchema));
  for (const resolvers of Object.values(RESOLVERS)) {
    for (const [typeName, fields] of Object.entries(resolvers)) {
      const type = schema.getType(typeName);
      for (const [fieldName, resolver] of Object.entries(fields)) {
        if (fieldName === '__resolveType' && isAbstractType(type)) type.resolveType = resolver as never;
        const field = isObjectType(type) ? (type as GraphQLObjectType).getFields()[fieldName] : undefined;
        if (field && typeof resolver === 'function') field.resolve ??= resolver as never;
      }
    }
  }
  return schema;
}

const OPERATIONS: Record<string, string | [string, Record<string, unknown>]> = {
  'a field of one subgraph': '{ me { id name email } }',
  'root fields of three subgraphs': '{ me { name } product(upc: "b1") { title } review(id: "r1") { text } }',
  'an unknown entity': '{ user(id: "nobody") { id name reviews { id } } }',
  'an entity field of another subgraph': '{ me { name reviews { text stars } } }',
  'lists of entities, two hops':
    '{ users { id reviews { id about { ... on Book { title } ... on Film { title rating } } } } }',
  'three hops and back':
    '{ me { favourites { upc ... on Book { reviews { author { name karma } } } ... on Film { reviews { author { name karma } } } } } }',
  'an interface with fields of two subgraphs':
    '{ products { upc title ... on Book { reviews { text } } ... on Film { rating } } }',
  'an abstract type with __typename':
    '{ products { __typename upc } search(text: "P") { __typename ... on Maker { name } ... on Film { title reviews { id } } } }',
  '@requires': '{ product(upc: "b1") { ... on Book { postage } } }',
  '@requires in a list': '{ products { ... on Book { title postage author { card } } } }',
  '@requires on entities of a third subgraph': '{ latest { author { card } } }',
  'the same entity many times': '{ latest(first: 4) { author { name partner { name reviews { id } } } } }',
  'nested lists with nulls': '{ matrix { upc reviews { id author { name } } } }',
  aliases: '{ a: me { n: name r: reviews { t: text } } b: me { n: email } }',
  'aliases across subgraphs with arguments':
    '{ product(upc: "b1") { eur: price usd: price(currency: USD) ... on Book { one: reviews(first: 1) { id } all: reviews { id } } } }',
  'one name with other arguments for each type':
    '{ products { ... on Book { p: price(currency: USD) reviews { id } } ... on Film { p: price } } }',
  'prototype names as aliases':
    '{ __proto__: me { constructor: name toString: email __proto__: id reviews { hasOwnProperty: text } } }',
  '__typename at the root': '{ __typename me { __typename } }',
  'nothing but __typename': '{ __typename alias: __typename }',
  'named fragments':
    'query { users { ...u } } fragment u on User { name ...r } fragment r on User { reviews { ...v } } fragment v on Review { text author { name } }',
  'inline fragments without a type': '{ me { ... { name reviews { id } } ... @include(if: true) { email } } }',
  'fragments on an interface':
    'query { product(upc: "f2") { ...p } } fragment p on Product { title maker { name country } ... on Film { director { name reviews { id } } } }',
  'a null value type': '{ product(upc: "b2") { maker { name } weight } }',
  variables: ['query ($id: ID!, $n: Int = 1) { user(id: $id) { name } products(first: $n) { title } }', { id: 'u3' }],
  'a null variable': ['query ($c: Currency) { product(upc: "b1") { price(currency: $c) } }', {}],
  'input objects with defaults': [
    'query ($f: Filter) { products(filter: $f) { upc } echo(filter: $f, list: [1, 2]) }',
    { f: { text: 'i' } },
  ],
  'a single value for a list': ['query ($l: [Int!]) { echo(list: $l) }', { l: 7 }],
  'a number for an ID': ['query ($id: ID!) { user(id: $id) { id } product(upc: $id) { upc } }', { id: 17 }],
  '@include and @skip at the root': [
    'query ($y: Boolean!, $n: Boolean!) { me @include(if: $y) { name } product(upc: "b1") @include(if: $n) { upc } latest @skip(if: $y) { id } }',
    { y: true, n: false },
  ],
  '@include on everything': ['query ($n: Boolean!) { me @include(if: $n) { name } }', { n: false }],
  '@skip inside, across subgraphs': [
    'query ($s: Boolean = true) { users { name reviews @skip(if: $s) { id } karma @include(if: $s) } }',
    {},
  ],
  '@include on a fragment': [
    'query ($y: Boolean!) { users { ...r @include(if: $y) } } fragment r on User { id reviews { id } }',
    { y: true },
  ],
  'the same field in several fragments':
    '{ me { reviews { id } ... on User { reviews { text } } ...a } } fragment a on User { reviews { author { karma } } }',
  'an error in a nullable field': '{ me { name secret } }',
  'an error in a nullable field of a list': '{ users { name secret } }',
  'an error in a non-null field': '{ me { name mustFail } }',
  'an error in a non-null field of non-null items': '{ users { name mustFail } }',
  'an error that empties the whole answer': '{ mustBoom me { name } }',
  'an error of one entity among several': '{ users { id flaky } }',
  'an error of an entity at several places': '{ latest(first: 4) { id author { flaky } } }',
  'an error in a non-null field of an entity': '{ latest(first: 4) { id author { partner { name mustFlake } } } }',
  'a non-null error that reaches a list item':
    '{ products { ... on Film { director { mustFlake } } ... on Book { title } } }',
  'a mutation': 'mutation { renameUser(id: "u3", name: "Barbara") { name reviews { text } } }',
  'mutations of several subgraphs in order':
    'mutation { a: setPrice(upc: "b1", price: 5) { price } b: renameUser(id: "u1", name: "Eve") { name } c: setPrice(upc: "b1", price: 7) { price ... on Book { postage } } d: addReview(upc: "b1", text: "New", by: "u1") { id about { ... on Book { title price } } } }',
  'a failing mutation among others':
    'mutation { x: renameUser(id: "nobody", name: "X") { name } y: renameUser(id: "u2", name: "Y") { name karma } }',
  'introspection of one type': '{ __type(name: "Book") { name fields { name type { kind ofType { name } } } } }',
  'introspection beside data': [
    'query ($t: String!) { me { name } __type(name: $t) { kind inputFields { name defaultValue } } }',
    { t: 'Filter' },
  ],
  'introspection never shows inaccessible elements': '{ __type(name: "User") { fields { name } } }',
};

/** Messages and paths, whatever their order: parallel fetches do not promise one. */
function errorsOf(result: {
  errors?: readonly { message: string; path?: readonly (string | number)[] | undefined }[];
}): string[] {
  return (result.errors ?? []).map(({ message, path }) => `${path?.join('.')}: ${message}`).sort();
}

describe.each(MODES)('a gateway with its subgraphs %s answers like one unsplit schema', (mode) => {
  let running: RunningShop;
  let schema: GraphQLSchema;
  beforeAll(async () => {
    schema = await unsplitSchema();
    running = await aRunningShop(mode);
  });
  beforeEach(() => running.shop.reset());
  afterAll(() => running[Symbol.asyncDispose]());

  test.each(Object.entries(OPERATIONS))('%s', async (_, operation) => {
    const [query, variables] = Array.isArray(operation) ? operation : [operation, {}];
    const shop = new Shop();
    const call = { identity: { viewer: null, requestId: 'test' }, signal: new AbortController().signal };
    const contextValue: ShopContext = { shop, call };
    const expected = await execute({ schema, document: parse(query), variableValues: variables, contextValue });
    const answer = await post(running.url, query, variables);
    expect(JSON.stringify(answer.data)).toBe(JSON.stringify(expected.data));
    expect(errorsOf(answer)).toEqual(errorsOf(expected));
    expect(running.shop.log).toEqual(shop.log);
  });

  test('the full introspection query', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const answer = await post(running.url, getIntrospectionQuery());
    await using supergraph = await loadSupergraph(shopSupergraph(), { defer: true });
    const expected = await execute({
      schema: supergraph.apiSchema,
      document: parse(getIntrospectionQuery()),
    });
    expect(JSON.stringify(answer.data)).toBe(JSON.stringify(expected.data));
  });
});
