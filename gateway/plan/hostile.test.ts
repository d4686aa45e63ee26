import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger } from '../../platform/logger';
import { createGateway } from '../server';
import { post } from '../testing/gateways';
import { aCostlyOperation, aCostlySupergraph } from '../testing/hostile';
import { always, aRawSubgraph } from '../testing/raw-subgraph';

test('a gateway answers others while it plans a hostile operation, and refuses that', async () => {
  await using subgraph = await aRawSubgraph(always({ data: { small: 1 } }));
  const gateway = await createGateway({
    supergraphSdl: aCostlySupergraph(),
    remoteSubgraph: () => ({ url: subgraph.url }),
    logger: silentLogger,
    development: false,
  });
  try {
    const { url } = await gateway.listen(0, '127.0.0.1');
    const endpoint = `${url}/graphql`;
    await post(endpoint, '{ small }');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();

    let isPlanning = true;
    const hostile = post(endpoint, aCostlyOperation()).finally(() => (isPlanning = false));
    let answered = 0;
    while (isPlanning) {
      expect(await post(endpoint, '{ small }')).toEqual({ status: 200, data: { small: 1 } });
      answered += 1;
    }
    delay.disable();
    process.stdout.write(`answered meanwhile: ${answered}, longest stall: ${Math.round(delay.max / 1e6)} ms\n`);
    expect(answered).toBeGreaterThan(10);
    const { status, errors } = await hostile;
    expect([status, errors?.[0]?.extensions.code]).toEqual([400, 'PLAN_BUDGET_EXCEEDED']);
  } finally {
    await gateway.stop();
  }
});
