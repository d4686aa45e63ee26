import { aComparedGateway, type ComparedGateway } from './compare';
import { readDifferentialEnvironment, testEnvironment } from './environment';
import { CALLERS, guarded, type GuardedSupergraph, type Scopes } from './guarded';
import { describeComparison, operationOfSeed } from './run';
import { orders } from './supergraphs/orders';
import { shop } from './supergraphs/shop';
import { zoo } from './supergraphs/zoo';

const { seed, count } = readDifferentialEnvironment(testEnvironment);
/** Sets of rules for each supergraph, and operations for each of them. */
const SETS = 5;
const EACH = Math.ceil(count / 4 / SETS);

/** `Bearer a,b` has the scopes a and b. */
const authorizationOf = (scopes: Scopes): string | undefined => scopes && `Bearer ${scopes.join(',')}`;

function aGuardedGateway(supergraph: GuardedSupergraph): Promise<ComparedGateway> {
  return aComparedGateway(supergraph, {
    authenticate: async (authorization) => {
      if (authorization === undefined) return null;
      const scopes = authorization.slice('Bearer '.length).split(',').filter(Boolean);
      return { viewer: { userId: 'u', sessionId: 's', scopes }, issuedAt: new Date(), endsAt: new Date(8.64e15) };
    },
    authorization: {
      policies: (names, { identity }) => names.filter((name) => identity.viewer?.scopes.includes(name)),
    },
  });
}

test.each([
  ['shop', shop],
  ['zoo', zoo],
  ['orders', orders],
])(
  `what is not for a caller is null as in one unsplit schema, and all else is as it was: ${SETS} sets of rules over %s, from seed ${seed}`,
  async (_, build) => {
    await using plain = await aComparedGateway(build());
    for (let set = 0; set < SETS; set++) {
      const supergraph = guarded(build(), seed + set);
      await using gateway = await aGuardedGateway(supergraph);
      let left = EACH;
      for (let next = seed + set * 10_000; left > 0; next++) {
        const { operation, failures } = operationOfSeed(gateway, next);
        if (!operation) continue;
        left--;
        const scopes = CALLERS[next % CALLERS.length];
        supergraph.askAs(scopes);
        const comparison = await gateway.compare(operation, next, failures, authorizationOf(scopes));
        if (comparison.difference === null) continue;
        // A mutation that would come to nothing is not begun.
        if (comparison.difference === 'mutations' && JSON.parse(comparison.got).data === null) continue;
        // The planner may ask for more than it should below interface objects, with rules or without.
        if ((await plain.compare(operation, next, failures)).difference === comparison.difference) continue;
        throw new Error(
          `rules ${seed + set}, seed ${next}, caller ${scopes}: ${describeComparison(operation, comparison)}`,
        );
      }
    }
  },
  300_000,
);
