import type { CancelSignal } from '../../platform/cancellation';
import { orAborted } from '../../platform/or-aborted';
import type { SubgraphAnswer } from '../fetch/transport';
import { isDataObject } from '../execute/data';
import { deadline } from '../execute/deadline';
import { adoptRootErrors, failureAt } from '../execute/errors';
import type { Answer, ExecutionServices } from '../execute/execution';
import { newExecution, write, type OperationRun } from '../execute/execute-operation';
import { sourceCall } from '../execute/fetch-step';
import { runProgram } from '../execute/run-program';
import { SubgraphError } from '../fetch/transport';
import type { EventSource } from '../compile/compile-operation';

/**
 * Runs a compiled subscription: opens its root field at the owning subgraph and, for each event, fetches from the other
 * subgraphs what the client selected besides. One answer per event, in order; the next event is taken when the
 * consumer asks for it. `deadlineMs` is for what follows one event; the subscription itself has no end. A stream that
 * breaks ends with an answer that says so. Aborting the caller's signal closes the stream at once, also while the next
 * event is awaited.
 */
export async function* subscribe(run: OperationRun, services: ExecutionServices): AsyncGenerator<Answer, void, void> {
  const { source } = run.compiled;
  if (!source) throw new Error('The operation is no subscription.');
  const { signal } = run.caller;
  const transport = services.transports.get(source.subgraph);
  const events = transport?.subscribe(sourceCall(source.operation, source.variables, run.variables, run.caller));
  try {
    while (events && !signal.aborted) {
      const event = await orAborted(events.next(), signal);
      if (event.done) return;
      yield await answerEvent(source, event.value, run, services);
    }
  } catch (error) {
    if (signal.aborted) return;
    yield failure(error, source, run, services, signal);
  } finally {
    // Not awaited: a generator that waits for its next event only returns once it has seen the signal.
    events
      ?.return()
      .catch((error: unknown) =>
        services.logger.warn({ error, subgraph: source.subgraph }, 'closing a subscription failed'),
      );
  }
}

async function answerEvent(
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
      ...adoptRootErrors(event.errors, { path: undefined, renames: source.renames }, [execution.data], execution),
    );
  }
  if (!isData) {
    if (execution.errors.length > 0) return { dataText: 'null', errors: execution.errors };
    const silence = new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'an event has neither data nor errors');
    return failure(silence, source, run, services, signal);
  }
  source.rewriteOutput?.(execution.data);
  const { stage } = run.compiled;
  await runProgram(stage.program, execution);
  return write(stage, execution.data, execution);
}

function failure(
  error: unknown,
  source: EventSource,
  run: OperationRun,
  services: ExecutionServices,
  signal: CancelSignal,
): Answer {
  const field = source.onlyField === undefined ? [] : [source.onlyField];
  const execution = newExecution(run, services, signal);
  return { dataText: 'null', errors: [failureAt(error, source.subgraph, field, execution)] };
}
