import { aComparedGateway, type Call, type ComparedGateway } from '../../differential/compare';
import { canonical, createRandom, type Random } from '../../differential/random';
import { operationOfSeed } from '../../differential/run';
import { SUPERGRAPHS } from '../../differential/supergraphs/all';
import { inProcessTransport } from '../../fetch/in-process';
import { subgraphOperation, type SubgraphAnswer, type SubgraphCall, type Transport } from '../../fetch/transport';
import { aCall } from '../../testing/transport';
import { createCallMerger } from './transports';

const OPERATIONS = 40;
const ROUNDS = 150;
const DEADLINES = { query: 60_000, mutation: 60_000 };

/** An entity fetch that some operation made. */
interface EntityCall {
  query: string;
  variables: Record<string, unknown>;
}

test.each(['shop', 'zoo', 'sauti'])(
  `${ROUNDS} rounds of fetches over %s are answered together as each is alone`,
  async (name) => {
    await using gateway = await aComparedGateway(SUPERGRAPHS[name]!());
    const { supergraph } = gateway;
    const fetches = await entityFetches(gateway);
    const merger = createCallMerger({ cacheSize: 100 });
    let sent = 0;
    let asked = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = createRandom(seed);
      supergraph.world.reset(seed, random.pick(['none', 'nullable', 'any'] as const));
      const subgraph = random.pick([...fetches.keys()]);
      const calls = roundOf(fetches.get(subgraph)!, random);
      const transport = inProcessTransport(supergraph.subgraphs.get(subgraph)!, DEADLINES);
      const counted: Transport = { ...transport, execute: (call) => (sent++, transport.execute(call)) };
      const merged = merger(new Map([[subgraph, counted]])).get(subgraph)!;
      const together = await Promise.all(calls.map((call) => merged.execute(asSubgraphCall(call))));
      const alone = await Promise.all(calls.map((call) => transport.execute(asSubgraphCall(call))));
      asked += calls.length;
      for (const [index, call] of calls.entries()) {
        const context = `seed ${seed}: ${call.query} ${JSON.stringify(call.variables)} among ${calls.length}\n`;
        expect(context + readable(together[index]!)).toBe(context + readable(alone[index]!));
      }
    }
    expect(sent).toBeLessThan(asked / 2);
  },
  120_000,
);

/** Entity fetches of random operations, by subgraph. */
async function entityFetches(gateway: ComparedGateway): Promise<Map<string, EntityCall[]>> {
  const found = new Map<string, EntityCall[]>();
  for (let seed = 1; seed <= OPERATIONS; seed++) {
    const { operation } = operationOfSeed(gateway, seed);
    if (!operation) continue;
    const { calls } = await gateway.compare(operation, seed, 'none');
    for (const call of calls.filter(({ query }) => /_entities ?\(/.test(query)))
      found.set(call.subgraph, [...(found.get(call.subgraph) ?? []), entityCall(call)]);
  }
  return found;
}

function entityCall({ query, variables }: Call): EntityCall {
  return { query, variables: variables as Record<string, unknown> };
}

/** Calls of one event: mostly about the same entities, some about others of them or about more. */
function roundOf(fetches: readonly EntityCall[], random: Random): EntityCall[] {
  const first = random.pick(fetches);
  const alike = fetches.filter((call) => kindOf(call) === kindOf(first));
  const lists = alike.map(({ variables }) => variables['representations'] as object[]);
  return Array.from({ length: 2 + random.below(9) }, () => {
    const call = random.pick(random.chance(0.8) ? alike : fetches);
    const list = random.chance(0.7) ? lists[0]! : random.pick(lists);
    if (kindOf(call) !== kindOf(first) || !list) return call;
    const representations = random.chance(0.2) ? list.slice(random.below(list.length)) : list;
    return { ...call, variables: { ...call.variables, representations } };
  });
}

/** Calls whose representations can stand for one another. */
function kindOf({ variables }: EntityCall): string {
  const list = variables['representations'];
  if (!Array.isArray(list)) return '';
  const kinds = list.map((item: Record<string, unknown>) => canonical([item['__typename'], Object.keys(item).sort()]));
  return [...new Set(kinds)].join();
}

function asSubgraphCall({ query, variables }: EntityCall): SubgraphCall {
  return aCall({
    operation: subgraphOperation(query, /^query (\w+)/.exec(query)?.[1], 'query'),
    variables: () => structuredClone(variables),
    variablesText: () => JSON.stringify(variables),
  });
}

/** An answer as text: which of several errors in an object that they empty is told, nobody promises. */
function readable({ data, errors = [] }: SubgraphAnswer): string {
  const places = errors.map(({ message, path = [], extensions }) => {
    const place: (string | number)[] = [];
    let value = data;
    for (const step of path) {
      if (typeof value !== 'object' || value === null) break;
      place.push(step);
      value = (value as Record<string, unknown>)[step];
    }
    const isWhole = place.length === path.length;
    return canonical(isWhole ? [place, message, extensions] : [place]);
  });
  return `${canonical(data)}\n${[...new Set(places)].sort().join('\n')}`;
}
