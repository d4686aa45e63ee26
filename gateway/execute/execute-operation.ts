import { isPlanNode } from '@apollo/query-planner';
import type { DataObject } from './data';
import { deadline } from './deadline';
import type { Caller, Execution, ExecutionServices, PlannedOperation, Result } from './execution';
import { rootPosition } from './positions';
import { runPlan } from './run-plan';
import { shape } from './shape';

/**
 * Answers a planned query or mutation. Failures of subgraphs are errors in the result, beside what others answered.
 * When the caller's signal aborts or `deadlineMs` passes, running calls are cancelled and the rest is not started.
 */
export async function executeOperation(
  request: { planned: PlannedOperation; variables: Record<string, unknown>; caller: Caller; deadlineMs: number },
  services: ExecutionServices,
): Promise<Result> {
  using limit = deadline(request.caller.signal, request.deadlineMs, request.caller.bodyReceived);
  const execution: Execution = {
    ...request,
    services,
    signal: limit.signal,
    data: Object.create(null) as DataObject,
    errors: [],
  };
  const node = request.planned.plan.node;
  if (isPlanNode(node)) await runPlan(node, [rootPosition(execution.data)], execution);
  return shape(execution);
}
