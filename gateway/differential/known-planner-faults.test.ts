import { parse } from 'graphql';
import { aGatewayOver } from '../testing/compose';
import { post } from '../testing/gateways';
import { aComparedGateway } from './compare';
import { readDifferentialEnvironment, testEnvironment } from './environment';
import { KNOWN_FAULTS, UNRESOLVABLE } from './known-planner-faults';
import { describeComparison, mismatches } from './run';
import { aHashSupergraph } from './supergraphs/compose';

const { seed } = readDifferentialEnvironment(testEnvironment);
/** Worlds in which each operation must be right. */
const WORLDS = 3;
/** Operations by chance over each supergraph. */
const COUNT = 40;

const answerable = KNOWN_FAULTS.filter(({ operations }) => operations.length > 0);

describe.each(answerable)('where the planner is wrong: $fault', ({ typeDefs, operations }) => {
  test.each(operations)('the gateway answers %s like one unsplit schema', async (operation) => {
    await using gateway = await aComparedGateway(aHashSupergraph('known', typeDefs));
    for (let world = seed; world < seed + WORLDS; world++) {
      const request = { document: parse(operation), variables: {} };
      const comparison = await gateway.compare(request, world, 'none');
      if (comparison.difference !== null) throw new Error(describeComparison(request, comparison));
    }
  });
});

const unanswerable = KNOWN_FAULTS.flatMap(({ typeDefs, refused = [] }) =>
  refused.map((operation) => [operation, typeDefs] as const),
);

test.each(unanswerable)('the gateway says that %s cannot be resolved', async (operation, typeDefs) => {
  await using gateway = await aComparedGateway(aHashSupergraph('known', typeDefs));
  const { got } = await gateway.compare({ document: parse(operation), variables: {} }, seed, 'none');
  expect(JSON.parse(got)).toEqual({
    errors: [{ message: expect.any(String), extensions: { code: 'UNRESOLVABLE_FIELD' } }],
  });
});

const known = [...new Set(answerable.map(({ typeDefs }) => typeDefs))].map(
  (typeDefs) => [Object.keys(typeDefs).join(), () => aHashSupergraph('known', typeDefs)] as const,
);

test.each(known)(
  `the gateway answers ${COUNT} operations over the faulty %s like one unsplit schema, from seed ${seed}`,
  async (_, build) => {
    await using gateway = await aComparedGateway(build());
    for await (const { report } of mismatches(gateway, { seed, count: COUNT })) throw new Error(report);
  },
);

test.each(UNRESOLVABLE.operations)(
  'the gateway answers %s, which no subgraph can resolve, with an error',
  async (operation) => {
    await using gateway = await aGatewayOver(UNRESOLVABLE.subgraphs);
    const { errors = [] } = await post(gateway.url, operation);
    expect(errors).not.toHaveLength(0);
  },
);
