import { isObjectOfType } from '@apollo/gateway/dist/dataRewrites';
import type { FetchDataKeyRenamer, FetchNode } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import { isDataObject, ownValue, type DataObject } from './data';
import { enclosing, type Position } from './positions';

export interface ContextGroup {
  positions: readonly Position[];
  /** Arguments that `@fromContext` takes from the data around these positions, by variable name. */
  variables: DataObject;
}

/**
 * Splits positions by what their surroundings say for `@fromContext` arguments, since one subgraph request has one
 * value per variable. Without such arguments all positions form one group.
 */
export function contextGroups(node: FetchNode, positions: readonly Position[], schema: GraphQLSchema): ContextGroup[] {
  const rewrites = node.contextRewrites;
  if (!rewrites?.length) return [{ positions, variables: {} }];
  const groups = new Map<string, { positions: Position[]; variables: DataObject }>();
  for (const position of positions) {
    const variables = Object.create(null) as DataObject;
    for (const rewrite of rewrites) {
      const value = contextValue(rewrite, position, schema);
      if (value !== undefined) variables[rewrite.renameKeyTo] = value;
    }
    const key = JSON.stringify(variables);
    const group = groups.get(key);
    if (group) group.positions.push(position);
    else groups.set(key, { positions: [position], variables });
  }
  return [...groups.values()];
}

/** Follows a path like `['..', '... on Shop', 'currency']`; undefined when it does not apply here. */
function contextValue(rewrite: FetchDataKeyRenamer, position: Position, schema: GraphQLSchema): unknown {
  let around: Position | undefined = position;
  let value: unknown = position.value;
  for (const element of rewrite.path) {
    if (element === '..') {
      around = around && enclosing(around);
      value = around?.value;
    } else if (element.startsWith('... on ')) {
      if (!isDataObject(value) || !isObjectOfType(schema, value, element.slice('... on '.length), true))
        return undefined;
    } else {
      value = isDataObject(value) ? ownValue(value, element) : undefined;
    }
  }
  return value;
}
