import { applyRewrites } from '@apollo/gateway/dist/dataRewrites';
import type { SubscriptionNode } from '@apollo/query-planner';
import { orAborted } from '../../platform/or-aborted';
import type { SubgraphAnswer } from '../fetch/transport';
import { isDataObject, type DataObject } from '../execute/data';
import { deadline } from '../execute/deadline';
import { adoptErrors, fetchFailure, unavailable } from '../execute/errors';
import {
  callOf,
  usedVariables,
  type Caller,
  type Execution,
  type ExecutionServices,
  type PlannedOperation,
  type Result,
} from '../execute/execution';
import { rootPosition } from '../execute/positions';
import { runPlan } from '../execute/run-plan';
import { shape } from '../execute/shape';

interface SubscriptionRequest {
  planned: PlannedOperation;
  variables: Record<string, unknown>;
  caller: Caller;
  /** Time for what follows one event; the subscription itself has no end. */
  deadlineMs: number;
}

/**
 * Runs a planned subscription: opens its root field at the owning subgraph and, for each event, fetches from the other
 * subgraphs what the client selected besides. One result per event, in order; the next event is taken when the
 * consumer asks for it. A stream that breaks ends with a result that says so. Aborting the caller's signal closes the
 * stream at once, also while the next event is awaited.
 */
export async function* subscribe(
  request: SubscriptionRequest,
  services: ExecutionServices,
): AsyncGenerator<Result, void, void> {
  const node = request.planned.plan.node as SubscriptionNode;
  const { signal } = request.caller;
  const { primary } = node;
  const transport = services.transports.get(primary.serviceName);
  const call = callOf(
    { caller: request.caller, signal },
    primary,
    usedVariables(primary.variableUsages, request.variables),
  );
  const events = transport?.subscribe(call);
  try {
    while (events && !signal.aborted) {
      const event = await orAborted(events.next(), signal);
      if (event.done) return;
      yield await answerEvent(node, event.value, request, services);
    }
  } catch (error) {
    if (signal.aborted) return;
    const execution = newExecution(request, services, signal);
    yield { data: null, errors: [fetchFailure(error, primary, [], execution)] };
  } finally {
    // Not awaited: a generator that waits for its next event only returns once it has seen the signal.
    events
      ?.return()
      .catch((error: unknown) =>
        services.logger.warn({ error, subgraph: primary.serviceName }, 'closing a subscription failed'),
      );
  }
}

async function answerEvent(
  node: SubscriptionNode,
  event: SubgraphAnswer,
  request: SubscriptionRequest,
  services: ExecutionServices,
): Promise<Result> {
  using limit = deadline(request.caller.signal, request.deadlineMs);
  const execution = newExecution(request, services, limit.signal);
  const root = rootPosition(execution.data);
  if (event.errors)
    execution.errors.push(
      ...adoptErrors(event.errors, { node: node.primary, positions: [root], representations: undefined }),
    );
  if (!isDataObject(event.data)) {
    return {
      data: null,
      errors: execution.errors.length > 0 ? execution.errors : [unavailable(request.caller.identity.requestId)],
    };
  }
  root.value = execution.data = event.data;
  applyRewrites(services.supergraph.fullSchema, node.primary.outputRewrites, execution.data);
  if (node.rest) await runPlan(node.rest, [root], execution);
  return shape(execution);
}

function newExecution(request: SubscriptionRequest, services: ExecutionServices, signal: AbortSignal): Execution {
  return { ...request, services, signal, data: Object.create(null) as DataObject, errors: [] };
}
