import { GraphQLError } from 'graphql';
import { flattenPath, type FlattenPath } from '../compile/flatten-path';
import type { DeferredStage, Stage } from '../compile/compile-operation';
import { isDataObject } from './data';
import { deadline } from './deadline';
import type { Answer, Execution, ExecutionServices } from './execution';
import { newExecution, write, type OperationRun } from './execute-operation';
import { runProgram } from './run-program';

/** What is sent of an operation with `@defer`: first an answer, then what was deferred, as it becomes ready. */
export type Payload =
  | ({ kind: 'initial'; hasNext: boolean } & Answer)
  | { kind: 'incremental'; hasNext: boolean; parts: readonly DeferredAnswer[] };

export interface DeferredAnswer extends Answer {
  label: string | undefined;
  /** Where its data belongs in what was sent before. */
  path: readonly (string | number)[];
}

/** A deferred answer is sent for at most this many objects of a list: each is a message part of its own. */
const MAX_PARTS = 10_000;

/**
 * Answers a query or mutation with `@defer`: the first payload holds all that is not deferred, each later one what one
 * fragment deferred, in the order in which they become ready. The deadline is for all of it; aborting the caller's signal
 * ends it. Without `@defer` there is one payload.
 */
export async function* executeIncrementally(
  run: OperationRun,
  services: ExecutionServices,
): AsyncGenerator<Payload, void, void> {
  const limit = deadline(run.caller, run.deadlineMs);
  try {
    const execution = newExecution(run, services, limit.signal);
    const { stage } = run.compiled;
    const work = new DeferredWork(execution);
    work.schedule(stage.deferred);
    await work.run(stage);
    const answer = write(stage, execution.data, execution);
    // Nothing can be added to an answer that is null as a whole.
    const isOver = work.isEmpty || answer.dataText === 'null';
    yield { kind: 'initial', hasNext: !isOver, ...answer };
    if (!isOver) yield* work.payloads();
  } finally {
    limit.end();
  }
}

/** The deferred parts of one execution. */
class DeferredWork {
  private readonly ended = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  private readonly ready: (readonly DeferredAnswer[])[] = [];
  private pending = 0;
  private wake = (): void => {};

  constructor(private readonly execution: Execution) {}

  get isEmpty(): boolean {
    return this.pending === 0 && this.ready.length === 0;
  }

  /** Runs the fetches of a stage and tells those that wait for them. */
  async run(stage: Stage): Promise<void> {
    await runProgram(stage.program, this.execution, (step) => step.ids.forEach((id) => this.fetch(id).resolve()));
  }

  schedule(deferred: readonly DeferredStage[]): void {
    for (const part of deferred) {
      this.pending++;
      const end = (answers: readonly DeferredAnswer[]): void => {
        this.pending--;
        if (answers.length > 0) this.ready.push(answers);
        this.wake();
      };
      this.runDeferred(part).then(end, (error: unknown) => {
        this.execution.services.logger.error({ error }, 'a deferred part failed');
        end([]);
      });
    }
  }

  async *payloads(): AsyncGenerator<Payload, void, void> {
    while (!this.isEmpty) {
      const parts = this.ready.splice(0).flat();
      if (parts.length > 0) yield { kind: 'incremental', hasNext: !this.isEmpty, parts };
      else if (this.pending > 0) await new Promise<void>((resolve) => (this.wake = resolve));
      // What was still under way may have ended with nothing to send.
      if (parts.length === 0 && this.isEmpty) yield { kind: 'incremental', hasNext: false, parts: [] };
    }
  }

  private async runDeferred(part: DeferredStage): Promise<readonly DeferredAnswer[]> {
    await Promise.all(part.dependsOn.map((id) => this.fetch(id).promise));
    const own: Execution = { ...this.execution, errors: [] };
    const { stage } = part;
    this.schedule(stage.deferred);
    await runProgram(stage.program, own, (step) => step.ids.forEach((id) => this.fetch(id).resolve()));
    if (!stage.writer) return [];
    const path = pathOf(part, own);
    const objects = new Set(path.collect(own.data, own.places.isShared));
    return path.locate(own.data, objects, MAX_PARTS).map((at): DeferredAnswer => {
      const inside = own.errors.filter((error) => concerns(error, at));
      return { label: part.label, path: at, ...answerAt(stage, at, { ...own, errors: inside }) };
    });
  }

  private fetch(id: string): { promise: Promise<void>; resolve: () => void } {
    const known = this.ended.get(id);
    if (known) return known;
    let resolve = (): void => {};
    const promise = new Promise<void>((settle) => (resolve = settle));
    const made = { promise, resolve };
    this.ended.set(id, made);
    return made;
  }
}

function pathOf(part: DeferredStage, { services }: Execution): FlattenPath {
  return flattenPath([...part.path], services.types);
}

/** What a deferred stage answers about the object at a path; its faults are told with the path from the root. */
function answerAt(stage: Stage, at: readonly (string | number)[], execution: Execution): Answer {
  const object = at.reduce<unknown>(
    (value, key) => (Array.isArray(value) ? value[Number(key)] : isDataObject(value) ? value[String(key)] : undefined),
    execution.data,
  );
  if (!isDataObject(object)) return { dataText: 'null', errors: [] };
  const { dataText, errors } = write(stage, object, execution);
  const known = new Set(execution.errors);
  const located = errors.map((error) => (known.has(error) ? error : moved(error, [...at, ...(error.path ?? [])])));
  return { dataText, errors: located };
}

function moved({ message, extensions }: GraphQLError, path: readonly (string | number)[]): GraphQLError {
  return new GraphQLError(message, { ...(path.length > 0 ? { path } : {}), extensions });
}

/** An error without a path, or above an object, is about it, too. */
function concerns({ path = [] }: GraphQLError, at: readonly (string | number)[]): boolean {
  return path.every((key, index) => index >= at.length || key === at[index]);
}
