import { composeServices } from '@apollo/composition';
import { gql } from 'graphql-tag';
import { GraphQLError } from 'graphql';
import type { QueryPlan } from '@apollo/query-planner';
import { silentLogger, type Logger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import { aCostlyOperation, aCostlySupergraph } from '../testing/hostile';
import { aPlanner, aRequest } from '../testing/planning';
import { shopSupergraph } from '../testing/shop';
import { overrideConditions } from './override-labels';

const costlySupergraph = aCostlySupergraph();

async function codeOf(plan: unknown): Promise<unknown> {
  const error: unknown = await Promise.resolve(plan).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof GraphQLError ? error.extensions : error;
}

function aLog(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  return { warnings, logger: { ...silentLogger, warn: (_details, message) => void warnings.push(message) } };
}

const OVER_BUDGET = { code: 'PLAN_BUDGET_EXCEEDED', http: { status: 400 } };

test('a plan is made once and is then there at once; concurrent requests share its planning', async () => {
  const compiled: QueryPlan[] = [];
  await using running = await aPlanner(shopSupergraph(), {
    compile: (_request, plan) => (compiled.push(plan), plan),
  });
  const plans = [1, 2, 3].map(() => running.planner.plan(aRequest('{ me { name } }'), {}));
  expect(plans.every((plan) => plan instanceof Promise)).toBe(true);
  expect(new Set(await Promise.all(plans.map(async (plan) => plan))).size).toBe(1);
  expect(running.planner.plan(aRequest('{ me { name } }'), {})).toBe(compiled[0]);
  expect(compiled).toHaveLength(1);
  expect(running.asked).toEqual(['{ me { name } }']);
});

test('operations of one document, and the root conditions of a subscription, have plans of their own', async () => {
  await using running = await aPlanner(shopSupergraph());
  const two = 'query A { me { name } } query B { who }';
  const [a, b] = await Promise.all(['A', 'B'].map(async (name) => running.planner.plan(aRequest(two, name), {})));
  expect(JSON.stringify(a)).toContain('me{name}');
  expect(JSON.stringify(b)).toContain('{who}');
  const conditional =
    'subscription ($ticks: Boolean!) { count(to: 1) @include(if: $ticks) { n } bulk(times: 1, sizeBytes: 1) @skip(if: $ticks) { n } }';
  const [yes, no] = await Promise.all(
    [true, false].map(async (ticks) => running.planner.plan(aRequest(conditional), { ticks })),
  );
  expect(JSON.stringify(yes)).toContain('count(to:1)');
  expect(JSON.stringify(no)).toContain('bulk(times:1');
});

test('a subscription that selects nothing is refused', async () => {
  await using running = await aPlanner(shopSupergraph());
  const request = aRequest('subscription { count(to: 1) @skip(if: true) { n } }');
  expect(await codeOf(running.planner.plan(request, {}))).toEqual({ code: 'BAD_USER_INPUT' });
});

test('the cache is bounded by plans and by their size', async () => {
  await using running = await aPlanner(shopSupergraph(), { cacheSize: 2 });
  for (const source of ['{ who }', '{ me { id } }', '{ users { id } }']) {
    await running.planner.plan(aRequest(source), {});
  }
  expect(running.planner.inUse().map(({ source }) => source)).toEqual(['{ users { id } }', '{ me { id } }']);
  await using tight = await aPlanner(shopSupergraph(), { cacheCharacters: 1_500 });
  for (const source of ['{ who }', `{ ${'who '.repeat(100)} }`, '{ me { id } }']) {
    await tight.planner.plan(aRequest(source), {});
  }
  expect(tight.planner.inUse().map(({ source }) => source)).toEqual(['{ me { id } }', '{ who }']);
});

test('an operation over its budget is refused, and without another try when it is repeated', async () => {
  const log = aLog();
  await using running = await aPlanner(costlySupergraph, { budgetMs: 300, threads: 1, logger: log.logger });
  const { planner } = running;
  expect(await codeOf(planner.plan(aRequest(aCostlyOperation()), {}))).toEqual(OVER_BUDGET);
  await running.ended; // its thread is gone
  expect(await codeOf(planner.plan(aRequest(aCostlyOperation()), {}))).toEqual(OVER_BUDGET);
  expect(log.warnings).toEqual(['an operation was over its planning budget']);
  expect(await planner.plan(aRequest('{ small }'), {})).toMatchObject({ kind: 'QueryPlan' });
});

test('after a while it gets another try', async () => {
  const log = aLog();
  await using running = await aPlanner(costlySupergraph, { budgetMs: 100, refusalMs: 1, logger: log.logger });
  await waitFor('a second try', async () => {
    expect(await codeOf(running.planner.plan(aRequest(aCostlyOperation()), {}))).toEqual(OVER_BUDGET);
    return log.warnings.length === 2;
  });
});

test('while a hostile operation is planned, known ones are there at once and new ones are planned by a second thread', async () => {
  await using running = await aPlanner(costlySupergraph, { budgetMs: 60_000 });
  const { planner } = running;
  const small = await planner.plan(aRequest('{ small }'), {});
  const settled: unknown[] = [];
  void codeOf(planner.plan(aRequest(aCostlyOperation()), {})).then((code) => settled.push(code));
  expect(planner.plan(aRequest('{ small }'), {})).toBe(small);
  await planner.plan(aRequest('{ a { id } }'), {});
  await planner.plan(aRequest('{ b { id } }'), {});
  expect(planner.plan(aRequest('{ small }'), {})).toBe(small);
  expect(settled).toEqual([]);
});

test('an honest operation is planned behind many hostile ones', async () => {
  await using running = await aPlanner(costlySupergraph, { budgetMs: 200 });
  const hostile = [1, 2, 3, 4, 5].map((seed) => codeOf(running.planner.plan(aRequest(aCostlyOperation(seed)), {})));
  expect(await running.planner.plan(aRequest('{ small }'), {})).toMatchObject({ kind: 'QueryPlan' });
  expect(await Promise.all(hostile)).toEqual(hostile.map(() => OVER_BUDGET));
});

test('more operations than may wait are refused as overload', async () => {
  await using running = await aPlanner(costlySupergraph, { budgetMs: 300, threads: 1, maxQueued: 1 });
  const plans = [1, 2, 3].map((seed) => codeOf(running.planner.plan(aRequest(aCostlyOperation(seed)), {})));
  expect(await plans[2]).toEqual({ code: 'OVERLOADED', http: { status: 503 } });
  expect(await Promise.all(plans.slice(0, 2))).toEqual([OVER_BUDGET, OVER_BUDGET]);
});

test('disposing ends the threads and refuses what is still to be planned', async () => {
  const running = await aPlanner(costlySupergraph, { threads: 1 });
  const plans = [1, 2].map((seed) => codeOf(running.planner.plan(aRequest(aCostlyOperation(seed)), {})));
  await running[Symbol.asyncDispose]();
  await running.ended;
  expect(await Promise.all(plans)).toEqual(plans.map(() => ({ code: 'OVERLOADED', http: { status: 503 } })));
  expect(await codeOf(running.planner.plan(aRequest('{ small }'), {}))).toMatchObject({ code: 'OVERLOADED' });
});

test('another planner is warmed with the operations in use; invalid ones are skipped', async () => {
  await using old = await aPlanner(shopSupergraph());
  const sources = ['{ me { name } }', '{ who }', 'subscription ($a: Boolean!) { count(to: 1) @include(if: $a) { n } }'];
  for (const source of sources) await old.planner.plan(aRequest(source), { a: true });
  await using fresh = await aPlanner(shopSupergraph());
  const gone = [
    { source: '{ gone }', operationName: undefined, conditions: [], labels: [], failed: [] },
    { source: '{ not', operationName: undefined, conditions: [], labels: [], failed: [] },
  ];
  expect(await fresh.planner.warm([...old.planner.inUse(), ...gone])).toEqual({ planned: 3, skipped: 2 });
  for (const source of sources) {
    expect(fresh.planner.plan(aRequest(source), { a: true })).toMatchObject({ kind: 'QueryPlan' });
  }
  expect(fresh.asked).toHaveLength(3);
});

test('warming gives way to clients and stops when told to', async () => {
  await using running = await aPlanner(shopSupergraph(), { threads: 1 });
  const operations = Array.from({ length: 20 }, (_, n) => ({
    source: `{ users { id a${n}: name } }`,
    operationName: undefined,
    conditions: [],
    labels: [],
    failed: [],
  }));
  const stop = new AbortController();
  const warming = running.planner.warm(operations, stop.signal);
  await running.planner.plan(aRequest('{ who }'), {});
  stop.abort();
  const { planned } = await warming;
  expect(planned).toBeLessThan(20);
  expect(running.asked).toContain('{ who }');
});

test('override labels decide the plan, and only where they matter', async () => {
  const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@override"])';
  const composed = composeServices([
    {
      name: 'old',
      typeDefs: gql(
        `${link} type Query { item: Item  other: Int } type Item @key(fields: "id") { id: ID!  price: Int }`,
      ),
    },
    {
      name: 'new',
      typeDefs: gql(
        `${link} type Item @key(fields: "id") { id: ID!  price: Int @override(from: "old", label: "percent(25)") }`,
      ),
    },
  ]);
  await using running = await aPlanner(composed.supergraphSdl!);
  const { planner, supergraph } = running;
  expect(supergraph.labels).toEqual(['percent(25)']);
  const on = overrideConditions(supergraph.labels, { random: () => 0.24 });
  const off = overrideConditions(supergraph.labels, { random: () => 0.25 });
  const [moved, stayed] = await Promise.all(
    [on, off].map(async (labels) => planner.plan(aRequest('{ item { price } }'), {}, labels)),
  );
  expect(JSON.stringify(moved)).toContain('"serviceName":"new"');
  expect(JSON.stringify(stayed)).not.toContain('"serviceName":"new"');
  const other = await planner.plan(aRequest('{ other }'), {}, on);
  expect(planner.plan(aRequest('{ other }'), {}, off)).toBe(other);
  await using fresh = await aPlanner(composed.supergraphSdl!);
  await fresh.planner.warm(planner.inUse());
  expect(fresh.planner.plan(aRequest('{ item { price } }'), {}, on)).toEqual(moved);
});

test('labels of one’s own are active when they are listed', () => {
  expect([...overrideConditions(['blue', 'green', 'percent(0)'], { active: new Set(['blue']) })]).toEqual([
    ['blue', true],
    ['green', false],
    ['percent(0)', false],
  ]);
});
