import type { CancelSignal } from '../../platform/cancellation';
import type { CompiledOperation, Stage } from '../compile/compile-operation';
import type { DataObject } from './data';
import { deadline } from './deadline';
import { unexplained } from './errors';
import type { Answer, Caller, Execution, ExecutionServices } from './execution';
import { runProgram } from './run-program';

export interface OperationRun {
  compiled: CompiledOperation;
  /** Coerced against the API schema. */
  variables: Record<string, unknown>;
  caller: Caller;
  /** Time for the whole answer. */
  deadlineMs: number;
}

/**
 * Answers a compiled query or mutation. Failures of subgraphs are errors in the answer, beside what others answered.
 * When the caller's signal aborts or `deadlineMs` passes, running calls are cancelled and the rest is not started.
 * Throws `ResponseTooLargeError`.
 */
export async function executeOperation(run: OperationRun, services: ExecutionServices): Promise<Answer> {
  const limit = deadline(run.caller, run.deadlineMs);
  try {
    const execution = newExecution(run, services, limit.signal);
    const { stage } = run.compiled;
    await runProgram(stage.program, execution);
    return write(stage, execution.data, execution);
  } finally {
    limit.end();
  }
}

/** An execution that has fetched nothing yet. */
export function newExecution(
  { compiled, variables, caller }: OperationRun,
  services: ExecutionServices,
  signal: CancelSignal,
  data: DataObject = {},
): Execution {
  return { services, compiled, variables, caller, signal, data, errors: [], isShared: false, found: new Map() };
}

/** Writes what a stage answers about an object of the data; `errors` are those recorded so far. */
export function write(stage: Stage, object: DataObject, execution: Execution): Answer {
  const { services, compiled, variables, errors } = execution;
  const written = stage.writer?.(object, {
    introspect: (field) => services.introspect(field, compiled, variables),
    maxLength: services.maxResponseLength,
    isShared: execution.isShared,
  });
  if (!written) return { dataText: 'null', errors };
  const { text, faults } = written;
  return { dataText: text, errors: faults.length === 0 ? errors : [...errors, ...unexplained(faults, errors)] };
}
