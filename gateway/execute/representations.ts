import { applyRewrites, isObjectOfType } from '@apollo/gateway/dist/dataRewrites';
import { getResponseName, type FetchNode, type QueryPlanSelectionNode } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import { isDataObject, mergeInto, ownValue, setValue, type DataObject } from './data';
import type { Position } from './positions';

/** One entity asked of a subgraph, and every position in the data it stands for. */
export interface Representation {
  value: DataObject;
  /** The type as the data knows it; a subgraph with `@interfaceObject` may know another. */
  typename: string;
  positions: Position[];
}

/**
 * What a fetch's `requires` selects at each position. Equal entities are asked for once. Positions that lack a
 * required field are left out: fetching that field failed, and the error for it is already recorded.
 */
export function representationsOf(
  node: FetchNode,
  positions: readonly Position[],
  schema: GraphQLSchema,
): Representation[] {
  const representations = new Map<string, Representation>();
  for (const position of positions) {
    const value = select(schema, position.value, node.requires ?? []);
    const typename = value && ownValue(value, '__typename');
    if (!value || typeof typename !== 'string') continue;
    applyRewrites(schema, node.inputRewrites, value);
    // The selection fixes the order of keys, so equal entities have equal texts.
    const key = `${typename} ${JSON.stringify(value)}`;
    const known = representations.get(key);
    if (known) known.positions.push(position);
    else representations.set(key, { value, typename, positions: [position] });
  }
  return [...representations.values()];
}

function select(
  schema: GraphQLSchema,
  source: DataObject,
  selections: readonly QueryPlanSelectionNode[],
): DataObject | null {
  const result = Object.create(null) as DataObject;
  for (const selection of selections) {
    if (selection.kind === 'InlineFragment') {
      if (selection.typeCondition && !isObjectOfType(schema, source, selection.typeCondition)) continue;
      const selected = select(schema, source, selection.selections);
      if (selected) mergeInto(result, selected);
      continue;
    }
    const name = getResponseName(selection);
    const value = ownValue(source, name);
    if (value === undefined) return null;
    setValue(result, name, selection.selections ? selectIn(schema, value, selection.selections) : value);
  }
  return result;
}

function selectIn(schema: GraphQLSchema, value: unknown, selections: readonly QueryPlanSelectionNode[]): unknown {
  if (Array.isArray(value)) return value.map((item) => selectIn(schema, item, selections));
  return isDataObject(value) ? select(schema, value, selections) : value;
}
