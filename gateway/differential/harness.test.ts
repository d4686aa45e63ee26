import { parse, print, validate, visit } from 'graphql';
import type { SubgraphRequest } from '../../platform/subgraph/subgraph';
import { aComparedGateway } from './compare';
import { generateOperation } from './generate';
import { createRandom } from './random';
import { mismatches } from './run';
import { shrink } from './shrink';
import { SUPERGRAPHS } from './supergraphs/all';
import { shop } from './supergraphs/shop';
import { zoo } from './supergraphs/zoo';

const OPTIONS = { maxFields: 20, maxDepth: 6 };

test.each(Object.entries(SUPERGRAPHS))('every operation over %s is valid, and its seed gives it again', (_, build) => {
  const { apiSchema } = build();
  for (let seed = 0; seed < 40; seed++) {
    const operation = generateOperation(apiSchema, createRandom(seed), OPTIONS);
    expect(operation && validate(apiSchema, operation.document)).toEqual(operation && []);
    expect(generateOperation(apiSchema, createRandom(seed), OPTIONS)).toEqual(operation);
  }
});

test('operations have all that a client may write', () => {
  const { apiSchema } = zoo();
  const found = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const operation = generateOperation(apiSchema, createRandom(seed), OPTIONS);
    if (!operation) continue;
    visit(operation.document, { enter: (node) => void found.add(node.kind) });
    for (const [, word] of print(operation.document).matchAll(/(@\w+|__proto__:|constructor:|mutation|__typename)/g))
      found.add(word!);
    for (const value of Object.values(operation.variables)) found.add(value === null ? 'null' : typeof value);
  }
  const kinds = ['Field', 'InlineFragment', 'FragmentSpread', 'FragmentDefinition', 'Variable', 'ListValue'];
  const literals = ['ObjectValue', 'EnumValue', 'NullValue', 'IntValue', 'StringValue', 'BooleanValue'];
  const words = ['@include', '@skip', '__proto__:', 'constructor:', 'mutation', '__typename'];
  const values = ['null', 'object', 'string', 'number', 'boolean'];
  expect([...kinds, ...literals, ...words, ...values].filter((feature) => !found.has(feature))).toEqual([]);
});

test('a failing operation shrinks to what makes it fail', async () => {
  const document = parse(`
    query ($yes: Boolean!, $first: Int) { users { id ...u @include(if: $yes) } me { name } b: products(first: $first) { upc } }
    fragment u on User { name partner { ... on User { id tags reviews { id } } } }`);
  const operation = { document, variables: { yes: true, first: 2 } };
  const small = await shrink(shop().apiSchema, operation, async (candidate) => /tags/.test(print(candidate.document)));
  expect(print(small.document)).toBe(print(parse('{ users { partner { tags } } }')));
  expect(small.variables).toEqual({});
});

test.each([
  ['loses the arguments of a field', (query: string) => query.replace(/price\(currency: ?USD\)/, 'price')],
  ['asks for another field', (query: string) => query.replace(/\bname\b/, 'name: id')],
  ['drops an argument of a mutation', (query: string) => query.replace(/price: ?\d+/, 'price: 7')],
])('a gateway that %s is found out', async (_, tamper) => {
  const supergraph = shop();
  const subgraphs = [...supergraph.subgraphs].map(([name, subgraph]) => {
    const execute = (request: SubgraphRequest, options: Parameters<typeof subgraph.execute>[1]) =>
      subgraph.execute({ ...request, query: tamper(request.query) }, options);
    return [name, { ...subgraph, execute }] as const;
  });
  await using gateway = await aComparedGateway({ ...supergraph, subgraphs: new Map(subgraphs) });
  const operations = [
    '{ product(upc: "b1") { price(currency: USD) } users { name } }',
    'mutation { setPrice(upc: "b1", price: 5) { upc } }',
  ];
  const differences = [];
  for (const operation of operations) {
    const request = { document: parse(operation), variables: {} };
    for (let seed = 0; seed < 5; seed++) differences.push((await gateway.compare(request, seed, 'none')).difference);
  }
  expect(differences.some((difference) => difference !== null)).toBe(true);
});

test('a mismatch comes with its seed, the shrunk operation, both answers and the calls', async () => {
  const supergraph = shop();
  const accounts = supergraph.subgraphs.get('accounts')!;
  const deaf = { ...accounts, execute: async () => ({ data: null, errors: [{ message: 'deaf' }] }) };
  await using gateway = await aComparedGateway({
    ...supergraph,
    subgraphs: new Map([...supergraph.subgraphs, ['accounts', deaf]]),
  });
  const { value } = await mismatches(gateway, { seed: 1, count: 200, ignored: ['order'] }).next();
  expect(value?.report).toMatch(/supergraph shop, seed \d+/);
  expect(value?.report).toMatch(/variables \{.*\}\nexpected .*\ngot .*\n/);
  expect(value?.report).toContain('accounts: ');
});
