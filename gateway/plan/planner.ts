import { operationFromDocument } from '@apollo/federation-internals';
import { QueryPlanner, type QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { resolveRootConditions } from './root-conditions';

/** A validated document and the operation in it that is asked for. */
export interface OperationRequest {
  /** Text of the document: with the operation's name the key of its plan. */
  source: string;
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

export interface Planner<Compiled> {
  /**
   * The compiled plan of an operation. `variables` (coerced) decide `@include` and `@skip` on the root field of a
   * subscription; queries and mutations carry such conditions inside their plan. Throws what the planner throws.
   */
  plan(request: OperationRequest, variables: Record<string, unknown>): Compiled | Promise<Compiled>;
}

/** A planner that keeps the compiled plans of the last `cacheSize` operations of this supergraph. */
export function createPlanner<Compiled extends object>(
  supergraph: LoadedSupergraph,
  cacheSize: number,
  compile: (request: Pick<OperationRequest, 'document' | 'operation'>, plan: QueryPlan) => Compiled,
): Planner<Compiled> {
  const planner = new QueryPlanner(supergraph.federated, {
    incrementalDelivery: { enableDefer: true },
    reuseQueryFragments: false,
  });
  const planned = new LRUCache<string, Compiled>({ max: cacheSize });

  return {
    plan(request, variables) {
      const { document, definition, key } = resolveRootConditions(request, variables);
      const cacheKey = `${request.operation.name?.value ?? ''} ${key}\n${request.source}`;
      const known = planned.get(cacheKey);
      if (known) return known;
      const name = definition.name?.value;
      const operation = operationFromDocument(supergraph.api, document, {
        ...(name ? { operationName: name } : {}),
        validate: false,
      });
      const result = compile({ document, operation: definition }, planner.buildQueryPlan(operation));
      planned.set(cacheKey, result);
      return result;
    },
  };
}
