import { post } from '../testing/gateways';
import { aGatewayOver } from '../testing/compose';

test('more entities than a subgraph takes in one field are asked for in several requests, and all are answered', async () => {
  await using gateway = await aGatewayOver({
    lists: {
      typeDefs: 'type Query { items: [Item!]! }  type Item @key(fields: "id") { id: ID! }',
      resolvers: { Query: { items: () => Array.from({ length: 2_500 }, (_, id) => ({ id })) } },
    },
    values: {
      typeDefs: 'type Item @key(fields: "id") { id: ID!  value: String }',
      resolvers: {
        Item: {
          value: ({ id }: { id: string }) => {
            if (id === '1700') throw new Error('no');
            return `value ${id}`;
          },
        },
      },
    },
  });
  const { data, errors } = await post(gateway.url, '{ items { value } }');
  const items = data!['items'] as { value: string | null }[];
  expect(items.every(({ value }, id) => value === (id === 1_700 ? null : `value ${id}`))).toBe(true);
  expect(errors).toMatchObject([{ path: ['items', 1_700, 'value'] }]);
  const lengths = gateway.calls
    .filter(({ subgraph }) => subgraph === 'values')
    .map(({ variables }) => (variables['representations'] as unknown[]).length);
  expect(lengths).toEqual([1_000, 1_000, 500]);
});
