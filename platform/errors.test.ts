import { GraphQLError } from 'graphql';
import { SautiError } from './errors';
import type { Logger } from './logger';
import { silentLogger } from './logger';
import { buildSubgraph } from './subgraph/build-subgraph';
import type { SubgraphResult } from './subgraph/subgraph';
import { ask } from './testing/calls';

const TYPE_DEFS = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
  interface Animal { name: String }
  type Cat implements Animal { name: String }
  enum Colour { RED }
  type Query {
    number: Int  colour: Colour  list: [Int]  required: String!  animal: Animal
    echo(text: String! = "x"): String  thrown: String  refused: String
  }`;

const resolvers = {
  Query: {
    number: () => 'seven',
    colour: () => 'PURPLE',
    list: () => 7,
    required: () => null,
    animal: () => ({ __typename: 'Dog' }),
    echo: (_parent: unknown, { text }: { text: string }) => text,
    thrown: () => {
      throw new GraphQLError('Thrown.', { extensions: { code: 'TEAPOT' } });
    },
    refused: () => {
      throw new SautiError('NOT_FOUND', 'There is no such thing.');
    },
  },
};

/** What a query answers, and what was logged as a fault meanwhile. */
async function answerOf(query: string, variables: object = {}): Promise<SubgraphResult & { logged: number }> {
  let logged = 0;
  const logger: Logger = { ...silentLogger, error: () => void logged++ };
  const subgraph = buildSubgraph<object>({
    name: 'tiny',
    typeDefs: TYPE_DEFS,
    resolvers,
    createContext: () => ({}),
    logger,
    ready: async () => undefined,
  });
  return { ...(await ask(subgraph, null, query, variables as Record<string, unknown>)), logged };
}

test.each([
  ['a number that is none', '{ number }'],
  ['a value outside its enum', '{ colour }'],
  ['a value that is no list', '{ list }'],
  ['null where there must be a value', '{ required }'],
  ['an object of an unknown type', '{ animal { name } }'],
])('%s from a resolver is our fault: masked and logged', async (_what, query) => {
  const { errors, logged } = await answerOf(query);
  expect(errors).toHaveLength(1);
  expect(errors![0]).toMatchObject({
    message: expect.stringContaining('test-request'),
    path: [query.split(' ')[1]],
    extensions: { code: 'INTERNAL', requestId: 'test-request' },
  });
  expect(logged).toBe(1);
});

test.each<[string, string, object]>([
  ['a syntax error', '{ number', {}],
  ['an unknown field', '{ nonsense }', {}],
  ['a variable that does not fit', 'query ($t: String!) { echo(text: $t) }', { t: 7 }],
  ['a variable that is missing', 'query ($t: String!) { echo(text: $t) }', {}],
  ['null for an argument that must not be null', 'query ($t: String) { echo(text: $t) }', { t: null }],
])('%s is the caller’s fault, and is told', async (_what, query, variables) => {
  const { errors, logged } = await answerOf(query, variables);
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  expect(errors?.[0]?.message).not.toContain('test-request');
  expect(logged).toBe(0);
});

test('an error with a code is told with it', async () => {
  expect(await answerOf('{ thrown }')).toMatchObject({
    errors: [{ message: 'Thrown.', extensions: { code: 'TEAPOT' } }],
    logged: 0,
  });
  expect(await answerOf('{ refused }')).toMatchObject({
    errors: [{ message: 'There is no such thing.', path: ['refused'], extensions: { code: 'NOT_FOUND' } }],
    logged: 0,
  });
});
