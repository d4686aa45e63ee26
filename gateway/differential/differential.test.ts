import { aComparedGateway } from './compare';
import { readDifferentialEnvironment, testEnvironment } from './environment';
import { mismatches } from './run';
import { SUPERGRAPHS } from './supergraphs/all';

const { seed, count } = readDifferentialEnvironment(testEnvironment);

test.each(Object.entries(SUPERGRAPHS))(
  `the gateway answers ${count} operations over %s like one unsplit schema, from seed ${seed}`,
  async (_, build) => {
    await using gateway = await aComparedGateway(build());
    for await (const { report } of mismatches(gateway, { seed, count })) throw new Error(report);
    expect(gateway.overBudget()).toBeLessThanOrEqual(count / 100);
  },
  300_000,
);
