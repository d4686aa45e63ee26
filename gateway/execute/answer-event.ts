import type { CancelSignal } from '../../platform/cancellation';
import type { EventSource } from '../compile/event-source';
import type { Renames } from '../compile/program';
import { isDataObject } from './data';
import { deadline } from './deadline';
import { adoptRootErrors, failureAt } from './errors';
import { newExecution, write, type OperationRun } from './execute-operation';
import type { Answer, ExecutionServices } from './execution';
import { runProgram } from './run-program';
import { SubgraphError, type SubgraphAnswer } from '../fetch/transport';

/**
 * Answers one event of a subscription: fetches from the other subgraphs what the client selected besides and writes the
 * whole. What fails is in the answer. The event's data is changed. Aborting the caller's signal cancels the fetches, and
 * so does the deadline.
 */
export async function answerEvent(
  source: EventSource,
  event: SubgraphAnswer,
  run: OperationRun,
  services: ExecutionServices,
): Promise<Answer> {
  const limit = deadline({ signal: run.caller.signal }, run.deadlineMs);
  try {
    return await answerWithin(limit.signal, source, event, run, services);
  } finally {
    limit.end();
  }
}

/** Rewrites of a source rename no fields. */
const NO_RENAMES: Renames = new Map();

async function answerWithin(
  signal: CancelSignal,
  source: EventSource,
  event: SubgraphAnswer,
  run: OperationRun,
  services: ExecutionServices,
): Promise<Answer> {
  const isData = isDataObject(event.data);
  const execution = newExecution(run, services, signal, isData ? (event.data as Record<string, unknown>) : {});
  if (event.errors) {
    execution.errors.push(
      ...adoptRootErrors(event.errors, { path: undefined, renames: NO_RENAMES }, [execution.data], execution),
    );
  }
  if (!isData) {
    if (execution.errors.length > 0) return { dataText: 'null', errors: execution.errors };
    const silence = new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'an event has neither data nor errors');
    return answerFailure(silence, source, run, services);
  }
  source.rewriteOutput?.(execution.data);
  const { stage } = run.compiled;
  await runProgram(stage.program, execution);
  return write(stage, execution.data, execution);
}

/** What the client is told when its subscription ends because of an error. */
export function answerFailure(
  error: unknown,
  source: EventSource,
  run: OperationRun,
  services: ExecutionServices,
): Answer {
  const field = source.onlyField === undefined ? [] : [source.onlyField];
  const execution = newExecution(run, services, run.caller.signal);
  return { dataText: 'null', errors: [failureAt(error, source.subgraph, field, execution)] };
}
