import { aRunningShop, type RunningShop } from '../testing/gateways';

/** Answers known operations without Apollo Server. */
let direct: RunningShop;
/** Answers all operations by Apollo Server: a plugin wants to see them. */
let throughApollo: RunningShop;
let seenByPlugin = 0;
beforeAll(async () => {
  direct = await aRunningShop('in process');
  throughApollo = await aRunningShop('in process', {
    plugins: [{ requestDidStart: async () => void seenByPlugin++ }],
  });
});
afterAll(async () => {
  await direct[Symbol.asyncDispose]();
  await throughApollo[Symbol.asyncDispose]();
});

interface Sent {
  body: unknown;
  accept?: string;
}

async function answerOf({ url }: RunningShop, { body, accept }: Sent): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(accept === undefined ? {} : { accept }) },
    body: JSON.stringify(body),
  });
  const { date, 'x-request-id': requestId, ...headers } = Object.fromEntries(response.headers);
  expect([date, requestId]).toEqual([expect.any(String), expect.any(String)]);
  return { status: response.status, headers, text: (await response.text()).replaceAll(requestId!, 'REQUEST') };
}

const named = 'query Named($id: ID) { echo(value: $id) }';
const REQUESTS: [string, unknown][] = [
  ['an operation', { query: '{ me { name } }' }],
  [
    'several fetches',
    { query: '{ latest(first: 2) { text author { name karma } about { __typename ... on Book { postage } } } }' },
  ],
  ['nothing else given', { query: named }],
  ['variables null', { query: named, variables: null }],
  ['variables {}', { query: named, variables: {} }],
  ['variables with a value', { query: named, variables: { id: 'x' } }],
  ['variables with null', { query: named, variables: { id: null } }],
  ['variables with more than asked for', { query: named, variables: { id: 'x', more: [1, { a: 2 }] } }],
  ['variables that do not fit', { query: named, variables: { id: { a: 1 } } }],
  ['variables as a list', { query: named, variables: [1] }],
  ['variables as text', { query: named, variables: '{}' }],
  [
    'variables with prototype names',
    { query: named, variables: JSON.parse('{"__proto__":{"id":"x"},"constructor":1}') },
  ],
  ['operationName null', { query: named, operationName: null }],
  ['operationName empty', { query: named, operationName: '' }],
  ['operationName', { query: named, operationName: 'Named' }],
  ['operationName unknown', { query: named, operationName: 'Other' }],
  ['operationName that is inherited', { query: named, operationName: 'constructor' }],
  ['operationName as a number', { query: named, operationName: 1 }],
  ['one of two operations', { query: 'query A { me { id } } query B { me { name } }', operationName: 'B' }],
  ['two operations and no name', { query: 'query A { me { id } } query B { me { name } }' }],
  ['extensions null', { query: '{ me { id } }', extensions: null }],
  ['extensions {}', { query: '{ me { id } }', extensions: {} }],
  ['extensions with something', { query: '{ me { id } }', extensions: { some: { thing: 1 } } }],
  ['extensions as text', { query: '{ me { id } }', extensions: 'x' }],
  ['a parameter nobody knows', { query: '{ me { id } }', id: 1 }],
  ['an error beside data', { query: '{ boom me { name secret } }' }],
  ['data that is null for an error', { query: '{ mustBoom }' }],
  ['an error without a path', { query: '{ user(id: "u2") { mustFlake } }' }],
  ['a mutation', { query: 'mutation { renameUser(id: "u3", name: "Linus") { name } }' }],
  ['a mutation that fails', { query: 'mutation { renameUser(id: "nobody", name: "x") { name } }' }],
  ['a condition', { query: 'query ($a: Boolean!) { me { id @skip(if: $a) name } }', variables: { a: true } }],
  ['nothing selected', { query: 'query ($a: Boolean!) { me @skip(if: $a) { id } }', variables: { a: true } }],
  ['a condition without its variable', { query: 'query ($a: Boolean!) { me { id @skip(if: $a) } }' }],
  ['introspection', { query: '{ __type(name: "User") { name fields { name } } __typename }' }],
  ['@defer', { query: '{ me { id ... @defer { name } } }' }],
  ['@defer that is off', { query: '{ me { id ... @defer(if: false) { name } } }' }],
  [
    'prototype names as aliases',
    { query: '{ __proto__: me { constructor: name __proto__: id } toString: __typename }' },
  ],
  ['characters of all kinds', { query: named, variables: { id: 'é"\\\u0000\u2028\ud800 😀' } }],
  ['a subscription', { query: 'subscription { quiet { n } }' }],
  ['a document that cannot be parsed', { query: '{' }],
  ['an invalid document', { query: '{ nothing }' }],
  ['no document', { query: '' }],
];
const ACCEPTS = [
  undefined,
  'application/json',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json;q=0.9',
  'text/plain',
];

describe.each(REQUESTS)('the first and later answers are those of Apollo Server: %s', (_, body) => {
  test.each(ACCEPTS)('Accept: %s', async (accept) => {
    const sent = { body, ...(accept === undefined ? {} : { accept }) };
    const first = await answerOf(direct, sent);
    expect(await answerOf(direct, sent)).toEqual(first);
    expect(await answerOf(throughApollo, sent)).toEqual(first);
  });
});

test('a plugin that wants to see requests sees those of known documents, too', async () => {
  const sent = { body: { query: 'query Seen { me { id } }' } };
  const before = seenByPlugin;
  await answerOf(throughApollo, sent);
  await answerOf(throughApollo, sent);
  expect(seenByPlugin - before).toBe(2);
});
