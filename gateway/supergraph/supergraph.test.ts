import { parse, validate } from 'graphql';
import { shopSupergraph } from '../testing/shop';
import { loadSupergraph } from './supergraph';

test('clients see the API schema; the full one also has what is inaccessible', async () => {
  await using supergraph = await loadSupergraph(shopSupergraph());
  const { apiSchema, fullSchema, subgraphs } = supergraph;
  const invalid = (schema: typeof apiSchema, source: string): string[] =>
    validate(schema, parse(source)).map(({ message }) => message);
  expect(invalid(apiSchema, '{ me { name } }')).toEqual([]);
  expect(invalid(apiSchema, '{ me { signature } }')).toHaveLength(1);
  expect(invalid(fullSchema, '{ me { signature } }')).toEqual([]);
  expect(Object.keys(apiSchema.getTypeMap()).filter((name) => name.startsWith('join__'))).toEqual([]);
  expect(apiSchema.getDirectives().map(({ name }) => name)).not.toContain('join__field');
  expect(subgraphs).toContainEqual({ name: 'accounts', url: 'http://accounts.invalid/graphql' });
});

test('@defer is for clients only when it is enabled', async () => {
  const operation = parse('{ me { ... @defer { name } } }');
  await using without = await loadSupergraph(shopSupergraph());
  expect(validate(without.apiSchema, operation).map(({ message }) => message)).toEqual(['Unknown directive "@defer".']);
  await using withDefer = await loadSupergraph(shopSupergraph(), { defer: true });
  expect(validate(withDefer.apiSchema, operation)).toEqual([]);
});

test('the hash tells supergraphs apart and is the same after a restart', async () => {
  const hashes: string[] = [];
  for (const sdl of [shopSupergraph(), shopSupergraph(), shopSupergraph({ accounts: 'http://other.invalid/' })]) {
    await using supergraph = await loadSupergraph(sdl);
    hashes.push(supergraph.hash);
  }
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});

test.each([
  ['no GraphQL', 'type {', 'Syntax Error'],
  ['no supergraph', 'type Query { a: Int }', 'must be a core schema'],
])('a text that is %s is refused with the reason', async (_case, sdl, reason) => {
  await expect(loadSupergraph(sdl)).rejects.toThrow(reason);
});

test('whoever takes the thread keeps it', async () => {
  const supergraph = await loadSupergraph(shopSupergraph());
  const thread = supergraph.takeThread()!;
  expect(supergraph.takeThread()).toBeUndefined();
  await supergraph[Symbol.asyncDispose]();
  const reply = await thread.plan({ text: '{ who }', operationName: undefined, labels: [] });
  expect(reply.kind).toBe('planned');
  await thread[Symbol.asyncDispose]();
  await thread.ended;
  await expect(thread.plan({ text: '{ who }', operationName: undefined, labels: [] })).rejects.toThrow('ended');
});
