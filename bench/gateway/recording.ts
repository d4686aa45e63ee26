import {
  Kind,
  OperationTypeNode,
  parse,
  print,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type NameNode,
  type OperationDefinitionNode,
} from 'graphql';
import type { Subgraphs } from './children';
import type { RecordedCall } from './messages';
import { post } from './target-process';
import { QUERIES, QUERY_NAMES, type QueryName } from './workload/queries';

/** One call to a subgraph, ready to be sent by hand. */
export interface HandCall {
  subgraph: string;
  origin: string;
  query: string;
  variables: Record<string, unknown>;
}

export interface RecordedOperation {
  query: string;
  data: unknown;
  /**
   * What the stock gateway calls, level by level: as planned; with the calls of a level to one subgraph in one; and
   * with those asking for each entity once.
   */
  levels: { planned: HandCall[][]; merged: HandCall[][]; distinct: HandCall[][] };
}

/** How long each answer waits while calls are recorded; calls further apart than a few of these are of two levels. */
const LEVEL_DELAY_MS = 60;

/** Has a running stock gateway answer each query once and writes down which calls it made, and in which order. */
export async function recordOperations(
  stockPort: number,
  subgraphs: Subgraphs,
  expected: Readonly<Record<QueryName, unknown>>,
): Promise<RecordedOperation[]> {
  const operations: RecordedOperation[] = [];
  for (const name of QUERY_NAMES) {
    await post(stockPort, QUERIES[name]); // so that the recorded request does not wait for its plan
    await subgraphs.record(LEVEL_DELAY_MS);
    await post(stockPort, QUERIES[name]);
    const { recorded } = await subgraphs.count();
    const planned = levelsOf(recorded).map((calls) => calls.map((call) => handCall(call, subgraphs)));
    const late = postponed(planned);
    operations.push({
      query: QUERIES[name],
      data: expected[name],
      levels: {
        planned,
        merged: late.map(mergeLevel),
        distinct: late.map((level) => mergeLevel(level.map(withDistinctRepresentations))),
      },
    });
  }
  return operations;
}

/** A call belongs to the level after the last one that was answered before it arrived. */
function levelsOf(calls: readonly RecordedCall[]): RecordedCall[][] {
  const inOrder = [...calls].sort((a, b) => a.arrivedAt - b.arrivedAt);
  const levels: RecordedCall[][] = [];
  for (const call of inOrder) {
    const level = levels.findLastIndex((earlier) => earlier.some(({ answeredAt }) => answeredAt <= call.arrivedAt)) + 1;
    (levels[level] ??= []).push(call);
  }
  return levels;
}

function handCall({ subgraph, body }: RecordedCall, subgraphs: Subgraphs): HandCall {
  const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
  return { subgraph, origin: `http://127.0.0.1:${subgraphs.ports[subgraph]}`, query, variables: variables ?? {} };
}

/**
 * Moves a call to the next level when that one calls the same subgraph anyway. In this workload nothing waits for such
 * a call (whether a thing is in stock), so the fewest calls come of it.
 */
function postponed(levels: readonly (readonly HandCall[])[]): HandCall[][] {
  const result = levels.map((level) => [...level]);
  for (let index = result.length - 2; index >= 0; index -= 1) {
    const next = result[index + 1]!;
    const names = new Set(next.map(({ subgraph }) => subgraph));
    next.push(...result[index]!.filter(({ subgraph }) => names.has(subgraph)));
    result[index] = result[index]!.filter(({ subgraph }) => !names.has(subgraph));
  }
  return result;
}

function withDistinctRepresentations(call: HandCall): HandCall {
  const { representations } = call.variables;
  if (!Array.isArray(representations)) return call;
  const distinct = [...new Set(representations.map((value) => JSON.stringify(value)))];
  return {
    ...call,
    variables: { ...call.variables, representations: distinct.map((text) => JSON.parse(text) as unknown) },
  };
}

function mergeLevel(calls: readonly HandCall[]): HandCall[] {
  const names = [...new Set(calls.map(({ subgraph }) => subgraph))];
  return names.map((name) => {
    const group = calls.filter(({ subgraph }) => subgraph === name);
    return group.length === 1 ? group[0]! : mergeCalls(group);
  });
}

/** One document with the root fields of all; fields, variables and fragments get names of their own. */
function mergeCalls(calls: readonly HandCall[]): HandCall {
  const parts = calls.map(({ query }, index) => renamed(parse(query, { noLocation: true }), `m${index}_`));
  const operations = parts.map(({ operation }) => operation);
  const merged: OperationDefinitionNode = {
    kind: Kind.OPERATION_DEFINITION,
    operation: OperationTypeNode.QUERY,
    variableDefinitions: operations.flatMap((operation) => operation.variableDefinitions ?? []),
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: operations.flatMap((operation) => operation.selectionSet.selections),
    },
  };
  const definitions = [merged, ...parts.flatMap(({ fragments }) => fragments)];
  const query = print({ kind: Kind.DOCUMENT, definitions }).replace(/\s+/g, ' ');
  const variables = calls.flatMap((call, index) =>
    Object.entries(call.variables).map(([name, value]) => [`m${index}_${name}`, value] as const),
  );
  return { ...calls[0]!, query, variables: Object.fromEntries(variables) };
}

function renamed(
  document: DocumentNode,
  prefix: string,
): { operation: OperationDefinitionNode; fragments: FragmentDefinitionNode[] } {
  const withPrefix = (name: NameNode): NameNode => ({ ...name, value: prefix + name.value });
  const rename = <Node extends { name: NameNode }>(node: Node): Node => ({ ...node, name: withPrefix(node.name) });
  const { definitions } = visit(document, { Variable: rename, FragmentSpread: rename, FragmentDefinition: rename });
  const operation = definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error('the stock gateway has sent a document without an operation');
  const selections = operation.selectionSet.selections.map((field) => {
    if (field.kind !== Kind.FIELD) throw new Error('the stock gateway has sent a fragment at the root');
    return { ...field, alias: withPrefix(field.alias ?? field.name) };
  });
  return {
    operation: { ...operation, selectionSet: { ...operation.selectionSet, selections } },
    fragments: definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION),
  };
}
