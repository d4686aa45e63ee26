import { composeServices } from '@apollo/composition';
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import { gql } from 'graphql-tag';
import { loadPlanning, type Planning } from './planning';
import { rewritePlan } from './rewrite-plan';
import { rewriteSupergraph } from './rewrite-supergraph';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external"])\n`;

const LAMPS = compose({
  lights: `
    type Query { lamp: Lamp }
    type Lamp @key(fields: "id") { id: ID!  glow(hue: String!): Int  watts: Int }`,
  bills: `
    type Lamp @key(fields: "id") {
      id: ID!
      glow(hue: String!): Int @external
      red: Int @requires(fields: "glow(hue: \\"red\\")")
      blue(of: Int): Int @requires(fields: "glow(hue: \\"blue\\")")
      price: Int
    }`,
});

function compose(typeDefs: Record<string, string>): string {
  const composed = composeServices(
    Object.entries(typeDefs).map(([name, text]) => ({ name, typeDefs: gql(LINK + text) })),
  );
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  return composed.supergraphSdl;
}

function planOf(planning: Planning, text: string): QueryPlan {
  const reply = planning.plan({ text, operationName: undefined, labels: [] });
  if (reply.kind !== 'planned') throw new Error(reply.message);
  return JSON.parse(reply.plan) as QueryPlan;
}

function fetchesOf(node: PlanNode | undefined): FetchNode[] {
  if (!node) return [];
  if (node.kind === 'Fetch') return [node];
  if (node.kind === 'Flatten') return fetchesOf(node.node);
  return node.kind === 'Sequence' || node.kind === 'Parallel' ? node.nodes.flatMap(fetchesOf) : [];
}

test('fields that are required with different arguments are fetched apart, each with its own in the representation', () => {
  const plan = planOf(loadPlanning(LAMPS), 'query ($n: Int) { lamp { red price blue(of: $n) } }');
  const [root, ...bills] = fetchesOf(plan.node as PlanNode);
  expect(root?.operation).toContain('glow__requires_0:glow(hue:"red")');
  expect(root?.operation).toContain('glow__requires_1:glow(hue:"blue")');
  const required = (twin: string): object => ({
    requires: [
      {
        kind: 'InlineFragment',
        typeCondition: 'Lamp',
        selections: ['__typename', 'id', twin].map((name) => ({ kind: 'Field', name })),
      },
    ],
    inputRewrites: [{ kind: 'KeyRenamer', path: ['... on Lamp', twin], renameKeyTo: 'glow' }],
  });
  expect(bills.map(({ requires, ...rest }) => ({ ...rest, requires: sorted(requires) }))).toEqual([
    expect.objectContaining({
      operation: 'query($representations:[_Any!]!){_entities(representations:$representations){...on Lamp{red price}}}',
      variableUsages: [],
      ...required('glow__requires_0'),
    }),
    expect.objectContaining({
      operation:
        'query($representations:[_Any!]!$n:Int){_entities(representations:$representations){...on Lamp{blue(of:$n)}}}',
      variableUsages: ['n'],
      ...required('glow__requires_1'),
    }),
  ]);
});

/** The fields of a representation in an order that does not depend on the planner's. */
function sorted(requires: FetchNode['requires']): FetchNode['requires'] {
  const rank = ({ name }: { name: string }): number => ['__typename', 'id'].indexOf(name) & 3;
  return requires?.map((node) =>
    node.kind === 'InlineFragment'
      ? { ...node, selections: [...node.selections].sort((a, b) => rank(a as never) - rank(b as never)) }
      : node,
  );
}

test('clients cannot ask for what stands in for a field', () => {
  const { description } = loadPlanning(LAMPS);
  expect(description.apiSdl).not.toContain('glow__requires');
  expect(Object.fromEntries(description.addedFields)).toEqual({
    __typename: [''],
    id: [''],
    glow__requires_0: [''],
    glow__requires_1: [''],
  });
});

test('a supergraph without such faults is planned as it is', () => {
  const sdl = compose({
    lights: 'type Query { lamp: Lamp } type Lamp @key(fields: "id") { id: ID!  glow(hue: String!): Int }',
    bills: `type Lamp @key(fields: "id") { id: ID!  glow(hue: String!): Int @external
      red: Int @requires(fields: "glow(hue: \\"red\\")")  again: Int @requires(fields: "glow(hue: \\"red\\")") }`,
  });
  expect(rewriteSupergraph(sdl)).toMatchObject({ document: undefined, twins: new Map(), partialKeys: new Map() });
});

test('deferred parts wait for all parts of a fetch that was split', () => {
  const supergraph = rewriteSupergraph(LAMPS);
  const bills: FetchNode = {
    kind: 'Fetch',
    serviceName: 'bills',
    id: '7',
    requires: [
      {
        kind: 'InlineFragment',
        typeCondition: 'Lamp',
        selections: ['__typename', 'id', 'glow__requires_0', 'glow__requires_1'].map((name) => ({
          kind: 'Field',
          name,
        })),
      },
    ],
    operation: 'query($representations:[_Any!]!){_entities(representations:$representations){...on Lamp{red blue}}}',
    operationName: undefined,
    operationKind: 'query' as FetchNode['operationKind'],
  };
  const plan = rewritePlan(
    {
      kind: 'QueryPlan',
      node: {
        kind: 'Defer',
        primary: { node: { kind: 'Flatten', path: ['lamp'], node: bills } },
        deferred: [{ depends: [{ id: '7' }, { id: '8' }], queryPath: [] }],
      },
    },
    supergraph,
  );
  expect(plan.node).toMatchObject({
    primary: { node: { node: { kind: 'Parallel', nodes: [{ id: '7' }, { id: '7.1' }] } } },
    deferred: [{ depends: [{ id: '7' }, { id: '7.1' }, { id: '8' }] }],
  });
});

test('@defer is planned', () => {
  const plan = planOf(loadPlanning(LAMPS), '{ lamp { watts ... @defer(label: "later") { price } } }');
  expect(plan.node).toMatchObject({ kind: 'Defer', deferred: [{ label: 'later' }] });
});

test('what expands beyond the planner’s own limits is too complex, not a fault', () => {
  const planning = loadPlanning(compose({ lights: 'type Query { lamp: Lamp } type Lamp { id: ID!  next: Lamp }' }));
  const fragments = Array.from(
    { length: 30 },
    (_, n) => `fragment F${n} on Lamp { a: next { ...F${n + 1} } b: next { ...F${n + 1} } }`,
  );
  const text = `{ lamp { ...F0 } } ${fragments.join(' ')} fragment F30 on Lamp { id }`;
  expect(planning.plan({ text, operationName: undefined, labels: [] })).toMatchObject({
    kind: 'refused',
    reason: 'too complex',
  });
});
