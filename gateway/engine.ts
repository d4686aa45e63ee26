import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Logger } from '../platform/logger';
import { createAccess, type AuthorizationOptions } from './access/access';
import { createDenials, type Denial } from './access/denials';
import { refusalError } from './access/refusal';
import { createCompiler, type CompiledOperation } from './compile/compile-operation';
import type { EventSource } from './compile/event-source';
import { typeTests } from './compile/types';
import { executeIncrementally, type Payload } from './execute/execute-incrementally';
import { executeOperation, type OperationRun } from './execute/execute-operation';
import type { Answer, Asker, Caller, ExecutionServices } from './execute/execution';
import { introspect } from './execute/introspection';
import { coerceVariables } from './execute/variables';
import type { SubgraphAnswer, Transport } from './fetch/transport';
import type { GatewayLimits, PlanningOptions } from './options';
import { decideConditions } from './plan/conditions';
import { overrideConditions } from './plan/override-labels';
import type { PlanStore } from './plan/plan-store';
import { inClientNames, payloadInClientNames } from './execute/client-names';
import { deniedRoots, withoutDenied } from './plan/without-denied';
import { createPlanner, type OperationInUse, type OperationRequest } from './plan/planner';
import { answerEvent, answerFailure } from './execute/answer-event';
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
   * Answers with errors instead when the variables do not fit, no plan can be made, or the operation is not for the
   * caller. At once for an operation whose plan is kept, with a promise for one that has to be planned.
   */
  prepare(
    request: OperationRequest,
    inputs: Record<string, unknown>,
    asker: Asker,
  ): PreparedOperation | Refusal | Promise<PreparedOperation | Refusal>;
  /** Whether what it was prepared for still is all that a caller may see of an operation, and no more. */
  fits(prepared: PreparedOperation, asker: Asker): boolean | Promise<boolean>;
  /** Answers a query or mutation; see `executeOperation`. */
  execute(prepared: PreparedOperation, caller: Caller): Promise<Answer>;
  /** Answers a query or mutation with `@defer`; see `executeIncrementally`. */
  executeIncrementally(prepared: PreparedOperation, caller: Caller): AsyncGenerator<Payload, void, void>;
  /**
   * Answers one event of a subscription, whose data is changed; see `answerEvent`. Its fetches go by `transports` where
   * several operations are answered together.
   */
  answerEvent(
    prepared: PreparedOperation,
    caller: Caller,
    event: SubgraphAnswer,
    transports?: ReadonlyMap<string, Transport>,
  ): Promise<Answer>;
  /** What a client is told when its subscription ends because of an error. */
  answerFailure(prepared: PreparedOperation, caller: Caller, error: unknown): Answer;
  /** Operations that clients use, last used first. */
  inUse(): OperationInUse[];
  /** Plans operations ahead; see `Planner.warm`. */
  warm(operations: readonly OperationInUse[], signal: AbortSignal): Promise<unknown>;
  /** Resolves as soon as nothing is planned for a client or runs, subscriptions included. */
  idle(): Promise<void>;
  isRunning(): boolean;
}

/** Whether a prepared operation answers with a stream (`Engine.answerEvent`) and not with one result. */
export function isSubscription({ compiled }: PreparedOperation): boolean {
  return compiled.definition.operation === OperationTypeNode.SUBSCRIPTION;
}

/** Whether a prepared operation answers in several payloads (`Engine.executeIncrementally`). */
export function isIncremental({ compiled }: PreparedOperation): boolean {
  return compiled.stage.deferred.length > 0;
}

export interface EngineOptions {
  supergraph: LoadedSupergraph;
  transports: ReadonlyMap<string, Transport>;
  logger: Logger;
  limits: Pick<GatewayLimits, 'planCacheSize' | 'deadlineMs' | 'maxResponseLength'>;
  planning: PlanningOptions;
  /** Keeps plans between starts. */
  store: PlanStore | undefined;
  /** Labels of `@override(label:)` that are on. */
  overrideLabels: ReadonlySet<string>;
  authorization: AuthorizationOptions;
  /** Whether clients see messages of subgraph errors that have no code. */
  showsAllMessages: boolean;
}

/** An engine over one supergraph. Disposing ends its planning; what runs goes on. */
export function createEngine(options: EngineOptions): Engine {
  const { supergraph, logger, planning, store, overrideLabels, limits } = options;
  const { deadlineMs } = limits;
  const planner = createPlanner({
    supergraph,
    ...(planning.budgetMs === undefined ? {} : { budgetMs: planning.budgetMs }),
    ...(planning.threads === undefined ? {} : { threads: planning.threads }),
    cacheSize: limits.planCacheSize,
    store,
    logger,
    compile: createCompiler(supergraph),
  });
  const running = new Running();
  const types = typeTests(supergraph.fullSchema);
  const services: ExecutionServices = {
    types,
    keepTypename: (name) => types.isObjectType(name),
    transports: options.transports,
    logger,
    introspect: (field, operation, variables) => introspect(supergraph.apiSchema, field, operation, variables),
    showsAllMessages: options.showsAllMessages,
    maxResponseLength: limits.maxResponseLength,
  };
  const { requirements, apiSchema } = supergraph;
  const { mode = 'partial', policies } = options.authorization;
  const access = requirements && createAccess(requirements, apiSchema, { policies, logger });
  const plan = (
    request: OperationRequest,
    variables: Record<string, unknown>,
    failed: readonly string[],
    { identity: { viewer, requestId } }: Asker,
  ): PreparedOperation | Refusal | Promise<PreparedOperation | Refusal> => {
    const refuse = (error: unknown): Refusal => planningFailure(error, request, requestId, logger);
    try {
      const denial = failed.length > 0 ? denialOf(request, variables, failed) : undefined;
      if (denial) return { errors: [refusalError(denial, viewer)] };
      const labels = overrideConditions(supergraph.labels, { active: overrideLabels });
      const compiled = planner.plan(request, variables, labels, failed);
      if (!(compiled instanceof Promise)) return { compiled, variables };
      running.begin();
      return compiled.then((made) => ({ compiled: made, variables }), refuse).finally(() => running.end());
    } catch (error) {
      return refuse(error);
    }
  };
  /** Why nothing of the operation is for the caller: it is refused as a whole, or there is no event to answer in part. */
  const denialOf = (
    request: OperationRequest,
    variables: Record<string, unknown>,
    failed: readonly string[],
  ): Denial | undefined => {
    const isStream = request.operation.operation === OperationTypeNode.SUBSCRIPTION;
    if (!requirements || (mode === 'partial' && !isStream)) return undefined;
    const denials = createDenials(requirements, new Set(failed), apiSchema);
    const decided = decideConditions(request, variables);
    const [root] = deniedRoots(decided, apiSchema, denials);
    return root?.denial ?? (mode === 'refuse' ? withoutDenied(decided, apiSchema, denials).denials[0] : undefined);
  };
  const runOf = (prepared: PreparedOperation, caller: Caller): OperationRun => ({ ...prepared, caller, deadlineMs });

  return {
    prepare(request, inputs, asker) {
      const coerced = coerceVariables(supergraph.apiSchema, request.operation, inputs);
      if ('errors' in coerced) return coerced;
      const failing = access?.failing(request, asker) ?? NONE;
      if (!(failing instanceof Promise)) return plan(request, coerced.variables, failing, asker);
      running.begin();
      return failing.then((failed) => plan(request, coerced.variables, failed, asker)).finally(() => running.end());
    },
    fits({ compiled: { rules, failed } }, asker) {
      const failing = access?.failingOf(rules, asker) ?? NONE;
      return failing instanceof Promise ? failing.then((now) => isSame(now, failed)) : isSame(failing, failed);
    },
    async execute(prepared, caller) {
      running.begin();
      try {
        return inClientNames(await executeOperation(runOf(prepared, caller), services), prepared.compiled);
      } finally {
        running.end();
      }
    },
    executeIncrementally: (prepared, caller) =>
      running.during(executeIncrementally(runOf(prepared, caller), services), (payload) =>
        payloadInClientNames(payload, prepared.compiled),
      ),
    async answerEvent(prepared, caller, event, transports = services.transports) {
      const { compiled } = prepared;
      running.begin();
      try {
        const own = { ...services, transports };
        return inClientNames(await answerEvent(sourceOf(compiled), event, runOf(prepared, caller), own), compiled);
      } finally {
        running.end();
      }
    },
    answerFailure: (prepared, caller, error) =>
      inClientNames(
        answerFailure(error, sourceOf(prepared.compiled), runOf(prepared, caller), services),
        prepared.compiled,
      ),
    inUse: () => planner.inUse(),
    warm: (operations, signal) => planner.warm(operations, signal),
    idle: () => running.idle(),
    isRunning: () => running.isRunning,
    [Symbol.asyncDispose]: () => planner[Symbol.asyncDispose](),
  };
}

const NONE: readonly string[] = [];

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id, index) => id === others[index]);
}

function sourceOf({ source }: CompiledOperation): EventSource {
  if (!source) throw new Error('The operation is no subscription.');
  return source;
}

/** Counts what runs. */
class Running {
  private count = 0;
  private waiting: (() => void)[] = [];

  get isRunning(): boolean {
    return this.count > 0;
  }

  begin(): void {
    this.count++;
  }

  end(): void {
    if (--this.count === 0) for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Counts a stream from its first item on, and changes its items. */
  async *during<Item>(
    stream: AsyncGenerator<Item, void, void>,
    change: (item: Item) => Item,
  ): AsyncGenerator<Item, void, void> {
    this.begin();
    try {
      for await (const item of stream) yield change(item);
    } finally {
      this.end();
    }
  }

  idle(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }
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
