import { GraphQLError } from 'graphql';
import type { CancelSignal } from '../../platform/cancellation';
import type { CompiledOperation, Stage } from '../compile/compile-operation';
import { ResponseTooLargeError } from '../compile/response-writer';
import type { DataObject } from './data';
import { deadline } from './deadline';
import { allErrors } from './errors';
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
  return {
    services,
    compiled,
    variables,
    caller,
    signal,
    data,
    errors: [],
    failures: [],
    inherited: [],
    nulled: [],
    places: { isShared: false, found: new Map() },
  };
}

/**
 * Writes what a stage answers about the object of the data at `base`; RESPONSE_TOO_LARGE instead of what is longer than
 * `left`.
 */
export function write(
  stage: Stage,
  object: DataObject,
  execution: Execution,
  base: readonly (string | number)[] = [],
  left: number = execution.services.maxResponseLength,
): Answer {
  const { services, compiled, variables, places } = execution;
  if (!stage.writer) return { dataText: 'null', errors: execution.errors };
  try {
    const { text, faults } = stage.writer(object, {
      introspect: (field) => services.introspect(field, compiled, variables),
      maxLength: left,
      isShared: places.isShared,
    });
    return { dataText: text, errors: allErrors(faults, execution, base) };
  } catch (error) {
    if (!(error instanceof ResponseTooLargeError)) throw error;
    const message = `The answer must not be longer than ${services.maxResponseLength} characters.`;
    const path = base.length > 0 ? { path: base } : {};
    const tooLarge = new GraphQLError(message, { ...path, extensions: { code: 'RESPONSE_TOO_LARGE' } });
    return { dataText: 'null', errors: [tooLarge] };
  }
}
