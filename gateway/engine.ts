import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Logger } from '../platform/logger';
import { createCompiler, type CompiledOperation } from './compile/compile-operation';
import { ResponseTooLargeError } from './compile/response-writer';
import { typeTests } from './compile/types';
import { executeIncrementally, type Payload } from './execute/execute-incrementally';
import { executeOperation, stageFor, type OperationRun } from './execute/execute-operation';
import type { Answer, Caller, ExecutionServices } from './execute/execution';
import { introspect } from './execute/introspection';
import { coerceVariables } from './execute/variables';
import type { Transport } from './fetch/transport';
import { inClientNames, payloadInClientNames } from './execute/client-names';
import { createPlanner, type OperationRequest } from './plan/planner';
import { subscribe } from './subscriptions/subscribe';
import type { LoadedSupergraph } from './supergraph/supergraph';

/** A validated operation whose variables fit and whose plan is made: everything that needs no subgraph is done. */
export interface PreparedOperation {
  compiled: CompiledOperation;
  variables: Record<string, unknown>;
}

type Refusal = { errors: GraphQLError[] };

/** Plans and runs validated operations, whatever they arrived by. */
export interface Engine extends AsyncDisposable {
  /**
   * Answers with errors instead when the variables do not fit or no plan can be made. At once for an operation whose
   * plan is kept, with a promise for one that has to be planned.
   */
  prepare(
    request: OperationRequest,
    inputs: Record<string, unknown>,
    requestId: string,
  ): PreparedOperation | Refusal | Promise<PreparedOperation | Refusal>;
  /** Answers a query or mutation; see `executeOperation`. */
  execute(prepared: PreparedOperation, caller: Caller): Promise<Answer>;
  /** Answers a query or mutation with `@defer`; see `executeIncrementally`. */
  executeIncrementally(prepared: PreparedOperation, caller: Caller): AsyncGenerator<Payload, void, void>;
  /** Opens a subscription; see `subscribe`. */
  subscribe(prepared: PreparedOperation, caller: Caller): AsyncGenerator<Answer, void, void>;
}

/** Whether a prepared operation answers with a stream (`Engine.subscribe`) and not with one result. */
export function isSubscription({ compiled }: PreparedOperation): boolean {
  return compiled.definition.operation === OperationTypeNode.SUBSCRIPTION;
}

/** Whether a prepared operation answers in several payloads with its variables (`Engine.executeIncrementally`). */
export function isIncremental({ compiled, variables }: PreparedOperation): boolean {
  return stageFor(compiled.stages, variables).deferred.length > 0;
}

/** An engine over one supergraph that keeps the plans of the last `planCacheSize` operations. */
export function createEngine(options: {
  supergraph: LoadedSupergraph;
  transports: ReadonlyMap<string, Transport>;
  logger: Logger;
  planCacheSize: number;
  deadlineMs: number;
  maxResponseLength: number;
}): Engine {
  const { supergraph, logger, deadlineMs } = options;
  const planner = createPlanner({
    supergraph,
    cacheSize: options.planCacheSize,
    logger,
    compile: createCompiler(supergraph),
  });
  const types = typeTests(supergraph.fullSchema);
  const services: ExecutionServices = {
    types,
    keepTypename: (name) => types.isObjectType(name),
    transports: options.transports,
    logger,
    introspect: (field, operation, variables) => introspect(supergraph.apiSchema, field, operation, variables),
    maxResponseLength: options.maxResponseLength,
  };
  const runOf = (prepared: PreparedOperation, caller: Caller): OperationRun => ({ ...prepared, caller, deadlineMs });

  return {
    prepare(request, inputs, requestId) {
      const coerced = coerceVariables(supergraph.apiSchema, request.operation, inputs);
      if ('errors' in coerced) return coerced;
      const { variables } = coerced;
      const refuse = (error: unknown): Refusal => planningFailure(error, request, requestId, logger);
      try {
        const compiled = planner.plan(request, variables);
        if (!(compiled instanceof Promise)) return { compiled, variables };
        return compiled.then((made) => ({ compiled: made, variables }), refuse);
      } catch (error) {
        return refuse(error);
      }
    },
    async execute(prepared, caller) {
      try {
        return inClientNames(await executeOperation(runOf(prepared, caller), services), prepared.compiled);
      } catch (error) {
        return tooLarge(error);
      }
    },
    async *executeIncrementally(prepared, caller) {
      for await (const payload of executeIncrementally(runOf(prepared, caller), services))
        yield payloadInClientNames(payload, prepared.compiled);
    },
    async *subscribe(prepared, caller) {
      for await (const answer of subscribe(runOf(prepared, caller), services))
        yield inClientNames(answer, prepared.compiled);
    },
    [Symbol.asyncDispose]: () => planner[Symbol.asyncDispose](),
  };
}

/** What planning refuses it says in a `GraphQLError` of its own; anything else is a fault of ours. */
function planningFailure(error: unknown, request: OperationRequest, requestId: string, logger: Logger): Refusal {
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

function tooLarge(error: unknown): Answer {
  if (!(error instanceof ResponseTooLargeError)) throw error;
  return {
    dataText: 'null',
    errors: [new GraphQLError(error.message, { extensions: { code: 'RESPONSE_TOO_LARGE' } })],
  };
}
