import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Logger } from '../platform/logger';
import { executeOperation } from './execute/execute-operation';
import type { Caller, ExecutionServices, Result } from './execute/execution';
import { coerceVariables } from './execute/variables';
import type { Transport } from './fetch/transport';
import { createPlanner, type OperationRequest, type PlannedOperation } from './plan/planner';
import { subscribe } from './subscriptions/subscribe';
import type { LoadedSupergraph } from './supergraph/supergraph';

/** A validated operation whose variables fit and whose plan is made: everything that needs no subgraph is done. */
export interface PreparedOperation {
  planned: PlannedOperation;
  variables: Record<string, unknown>;
}

/** Plans and runs validated operations, whatever they arrived by. */
export interface Engine {
  /** Answers with errors instead when the variables do not fit or no plan can be made. */
  prepare(
    request: OperationRequest,
    inputs: Record<string, unknown>,
    requestId: string,
  ): PreparedOperation | { errors: GraphQLError[] };
  /** Answers a query or mutation; see `executeOperation`. */
  execute(prepared: PreparedOperation, caller: Caller): Promise<Result>;
  /** Opens a subscription; see `subscribe`. */
  subscribe(prepared: PreparedOperation, caller: Caller): AsyncGenerator<Result, void, void>;
}

/** Whether a prepared operation answers with a stream (`Engine.subscribe`) and not with one result. */
export function isSubscription(prepared: PreparedOperation): boolean {
  return prepared.planned.definition.operation === OperationTypeNode.SUBSCRIPTION;
}

/** An engine over one supergraph that keeps the plans of the last `planCacheSize` operations. */
export function createEngine(options: {
  supergraph: LoadedSupergraph;
  transports: ReadonlyMap<string, Transport>;
  logger: Logger;
  planCacheSize: number;
  deadlineMs: number;
}): Engine {
  const { supergraph, logger, deadlineMs } = options;
  const planner = createPlanner(supergraph, options.planCacheSize);
  const services: ExecutionServices = options;

  return {
    prepare(request, inputs, requestId) {
      const coerced = coerceVariables(supergraph.apiSchema, request.operation, inputs);
      if ('errors' in coerced) return coerced;
      try {
        return { planned: planner.plan(request, coerced.variables), variables: coerced.variables };
      } catch (error) {
        if (error instanceof GraphQLError && error.extensions['code'] === 'BAD_USER_INPUT') return { errors: [error] };
        logger.error({ error, requestId, operation: request.operation.name?.value }, 'an operation cannot be planned');
        return {
          errors: [
            new GraphQLError('This operation cannot be planned.', {
              extensions: { code: 'INTERNAL', requestId, http: { status: 500 } },
            }),
          ],
        };
      }
    },
    execute: (prepared, caller) => executeOperation({ ...prepared, caller, deadlineMs }, services),
    subscribe: (prepared, caller) => subscribe({ ...prepared, caller, deadlineMs }, services),
  };
}
