import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Logger } from '../platform/logger';
import { executeOperation } from './execute/execute-operation';
import type { Caller, ExecutionServices, Result } from './execute/execution';
import { coerceVariables } from './execute/variables';
import type { Transport } from './fetch/transport';
import { operationFromDocument, ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph } from '@apollo/federation-internals';
import { filled, withClientNames } from './execute/client-names';
import type { PlannedOperation } from './execute/execution';
import { createPlanner, type OperationRequest } from './plan/planner';
import { subscribe } from './subscriptions/subscribe';
import type { LoadedSupergraph } from './supergraph/supergraph';

/** A validated operation whose variables fit and whose plan is made: everything that needs no subgraph is done. */
export interface PreparedOperation {
  planned: PlannedOperation;
  variables: Record<string, unknown>;
}

/** Plans and runs validated operations, whatever they arrived by. */
export interface Engine extends AsyncDisposable {
  /** Answers with errors instead when the variables do not fit or no plan can be made. */
  prepare(
    request: OperationRequest,
    inputs: Record<string, unknown>,
    requestId: string,
  ): Promise<PreparedOperation | { errors: GraphQLError[] }>;
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
  const api = Supergraph.build(supergraph.sdl, { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES }).apiSchema();
  const planner = createPlanner<PlannedOperation>({
    supergraph,
    cacheSize: options.planCacheSize,
    logger,
    compile: (request, plan) => ({
      operation: operationFromDocument(api, filled(request.document), {
        ...(request.operation.name ? { operationName: request.operation.name.value } : {}),
        validate: false,
      }),
      definition: request.operation,
      clientNames: request.clientNames,
      plan,
    }),
  });
  const services: ExecutionServices = options;

  return {
    async prepare(request, inputs, requestId) {
      const coerced = coerceVariables(supergraph.apiSchema, request.operation, inputs);
      if ('errors' in coerced) return coerced;
      try {
        return { planned: await planner.plan(request, coerced.variables), variables: coerced.variables };
      } catch (error) {
        if (error instanceof GraphQLError && error.extensions['code'] !== 'INTERNAL') return { errors: [error] };
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
    execute: async (prepared, caller) =>
      withClientNames(await executeOperation({ ...prepared, caller, deadlineMs }, services), prepared.planned),
    async *subscribe(prepared, caller) {
      for await (const result of subscribe({ ...prepared, caller, deadlineMs }, services)) {
        yield withClientNames(result, prepared.planned);
      }
    },
    [Symbol.asyncDispose]: () => planner[Symbol.asyncDispose](),
  };
}
