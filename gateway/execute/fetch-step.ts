import { applyRewrites } from '@apollo/gateway/dist/dataRewrites';
import type { FetchNode } from '@apollo/query-planner';
import { orAborted } from '../../platform/or-aborted';
import { SubgraphError, type SubgraphAnswer } from '../fetch/transport';
import { contextGroups } from './context-arguments';
import { isDataObject, mergeInto, ownValue, setValue, type DataObject } from './data';
import { adoptErrors, fetchFailure } from './errors';
import { callOf, usedVariables, type Execution } from './execution';
import type { Position } from './positions';
import { representationsOf, type Representation } from './representations';

/**
 * Runs one Fetch of a plan over the positions it applies to and merges the answer into them. Never rejects: what fails
 * is recorded as errors, so that the other branches of the plan still answer.
 */
export async function runFetch(node: FetchNode, positions: readonly Position[], execution: Execution): Promise<void> {
  const groups = contextGroups(node, positions, execution.services.supergraph.fullSchema);
  await Promise.all(groups.map((group) => fetchGroup(node, group.positions, group.variables, execution)));
}

async function fetchGroup(
  node: FetchNode,
  positions: readonly Position[],
  contextual: DataObject,
  execution: Execution,
): Promise<void> {
  const schema = execution.services.supergraph.fullSchema;
  try {
    const representations = node.requires ? representationsOf(node, positions, schema) : undefined;
    if (positions.length === 0 || representations?.length === 0) return;
    const variables = Object.assign(usedVariables(node.variableUsages, execution.variables), contextual);
    if (representations) variables['representations'] = representations.map(({ value }) => value);
    const answer = await send(node, variables, execution);
    const data = dataOf(answer, representations);
    if (answer.errors) execution.errors.push(...adoptErrors(answer.errors, { node, positions, representations }));
    if (!data) return;
    if (representations) mergeEntities(node, data, representations, execution);
    else mergeRoot(node, data, positions, execution);
  } catch (error) {
    execution.errors.push(fetchFailure(error, node, positions, execution));
  }
}

async function send(node: FetchNode, variables: DataObject, execution: Execution): Promise<SubgraphAnswer> {
  const transport = execution.services.transports.get(node.serviceName);
  if (!transport) throw new SubgraphError('SUBGRAPH_UNAVAILABLE', 'no transport has this name');
  execution.signal.throwIfAborted();
  return orAborted(transport.execute(callOf(execution, node, variables)), execution.signal);
}

/** The data of an answer; null when errors explain that there is none. Silence is not an answer. */
function dataOf(answer: SubgraphAnswer, representations: readonly Representation[] | undefined): DataObject | null {
  if (!isDataObject(answer.data)) {
    if (answer.errors) return null;
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with neither data nor errors');
  }
  const entities = ownValue(answer.data, '_entities');
  if (!representations) return answer.data;
  if (Array.isArray(entities) && entities.length === representations.length) return answer.data;
  if (answer.errors && (entities === null || entities === undefined)) return null;
  throw new SubgraphError(
    'SUBGRAPH_BAD_RESPONSE',
    `answered with another number of entities than the ${representations.length} it was asked for`,
  );
}

function mergeRoot(node: FetchNode, data: DataObject, positions: readonly Position[], execution: Execution): void {
  applyRewrites(execution.services.supergraph.fullSchema, node.outputRewrites, data);
  for (const position of positions) mergeInto(position.value, data);
}

function mergeEntities(
  node: FetchNode,
  data: DataObject,
  representations: readonly Representation[],
  execution: Execution,
): void {
  const entities = ownValue(data, '_entities') as unknown[];
  for (const [index, { typename, positions }] of representations.entries()) {
    const entity = entities[index];
    if (!isDataObject(entity)) continue;
    if (!ownValue(entity, '__typename')) setValue(entity, '__typename', typename);
    applyRewrites(execution.services.supergraph.fullSchema, node.outputRewrites, entity);
    for (const position of positions) mergeInto(position.value, entity);
  }
}
