import { parse } from 'graphql';
import { aGatewayOver } from '../testing/compose';
import { post } from '../testing/gateways';
import { aComparedGateway } from './compare';
import { readDifferentialEnvironment, testEnvironment } from './environment';
import { KNOWN_FAULTS, UNRESOLVABLE } from './known-planner-faults';
import { describeComparison, mismatches } from './run';
import { SUPERGRAPHS } from './supergraphs/all';
import { aHashSupergraph } from './supergraphs/compose';

const { seed } = readDifferentialEnvironment(testEnvironment);
/** Worlds in which each operation must be right. */
const WORLDS = 3;
/** Operations by chance over each supergraph. */
const COUNT = 40;

describe.each(KNOWN_FAULTS)('where the planner is wrong: $fault', ({ typeDefs, operations }) => {
  test.each(operations)('the gateway answers %s like one unsplit schema', async (operation) => {
    await using gateway = await aComparedGateway(aHashSupergraph('known', typeDefs));
    for (let world = seed; world < seed + WORLDS; world++) {
      const request = { document: parse(operation), variables: {} };
      const comparison = await gateway.compare(request, world, 'none');
      if (comparison.difference !== null) throw new Error(describeComparison(request, comparison));
    }
  });
});

const known = [...new Set(KNOWN_FAULTS.map(({ typeDefs }) => typeDefs))].map(
  (typeDefs) => [Object.keys(typeDefs).join(), () => aHashSupergraph('known', typeDefs)] as const,
);

test.each([...known, ...Object.entries(SUPERGRAPHS)])(
  `with aliases and arguments as they come, the gateway answers ${COUNT} operations over %s like one unsplit schema, from seed ${seed}`,
  async (_, build) => {
    await using gateway = await aComparedGateway(build());
    const options = { seed, count: COUNT, withKnownFaults: true };
    for await (const { report } of mismatches(gateway, options)) throw new Error(report);
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
