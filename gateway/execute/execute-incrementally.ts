import { GraphQLError } from 'graphql';
import { flattenPath } from '../compile/flatten-path';
import type { DeferredStage, Stage } from '../compile/compile-operation';
import { isDataObject, mergeInto, ownValue, type DataObject } from './data';
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

/** A deferred fragment is answered for at most this many objects: each is a message part of its own. */
const MAX_PARTS = 10_000;

/**
 * Answers a query or mutation with `@defer`: the first payload holds all that is not deferred, each later one what one
 * fragment deferred, in the order in which they become ready. The deadline and the limit of length are for all of it;
 * aborting the caller's signal ends it. Without `@defer` there is one payload.
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
    const sent = new SentData(answer.dataText, run.compiled.clientNames);
    // Nothing can be added to an answer that is null as a whole.
    let hasNext = !work.isEmpty && answer.dataText !== 'null';
    yield { kind: 'initial', hasNext, ...answer };
    let left = services.maxResponseLength - answer.dataText.length;
    while (hasNext) {
      const ready = await work.next();
      const parts: DeferredAnswer[] = [];
      for (const each of ready) left = writeParts(each, sent, left, parts);
      hasNext = !work.isEmpty;
      if (parts.length > 0 || !hasNext) yield { kind: 'incremental', hasNext, parts };
    }
  } finally {
    limit.end();
  }
}

/** A deferred stage whose fetches are done. */
interface ReadyPart {
  part: DeferredStage;
  execution: Execution;
}

/**
 * Writes what a deferred stage answers about each object at its path, as far as the client has that object: what is
 * around it may have become null. Returns how many characters are left; when there are none, one part says so.
 */
function writeParts({ part, execution }: ReadyPart, sent: SentData, left: number, parts: DeferredAnswer[]): number {
  const { stage, label } = part;
  if (!stage.writer || left < 0) return left;
  const path = flattenPath([...part.path], execution.services.types);
  const wanted = new Set(path.collect(execution.data, execution.places.isShared));
  let count = 0;
  path.locate(execution.data, wanted, (object, at) => {
    if (!sent.has(at)) return true;
    const errors = execution.errors.filter((error) => concerns(error, at));
    const answer = ++count > MAX_PARTS ? tooMany() : answerAt(stage, object, at, { ...execution, errors }, left);
    // The fragment does not fit this object: there is nothing to add.
    if (answer.dataText === '{}' && answer.errors.length === 0) return true;
    left = answer.isComplete ? left - answer.dataText.length : -1;
    if (answer.isComplete) sent.add(at, answer.dataText);
    parts.push({ label, path: at, dataText: answer.dataText, errors: answer.errors });
    return left >= 0;
  });
  return left;
}

/** What the client has so far, by its own names. */
class SentData {
  private readonly data: unknown;

  constructor(
    dataText: string,
    private readonly names: ReadonlyMap<string, string>,
  ) {
    this.data = JSON.parse(dataText);
  }

  has(at: readonly (string | number)[]): boolean {
    return isDataObject(this.at(at));
  }

  add(at: readonly (string | number)[], dataText: string): void {
    const target = this.at(at);
    const added: unknown = JSON.parse(dataText);
    // The same objects as in the answer: nothing here leaves the gateway, so all that counts is what is null.
    if (isDataObject(target) && isDataObject(added)) mergeInto(target, added, () => true);
  }

  private at(path: readonly (string | number)[]): unknown {
    return path.reduce<unknown>((value, key) => {
      if (Array.isArray(value)) return value[Number(key)] as unknown;
      return isDataObject(value) ? ownValue(value, this.names.get(String(key)) ?? String(key)) : undefined;
    }, this.data);
  }
}

/** The deferred parts of one execution. */
class DeferredWork {
  private readonly ended = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  private readonly ready: ReadyPart[] = [];
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
      void this.runDeferred(part).then(() => {
        this.pending--;
        this.wake();
      });
    }
  }

  /** Those that have become ready; none when nothing is under way any more. */
  async next(): Promise<ReadyPart[]> {
    while (this.ready.length === 0 && this.pending > 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.ready.splice(0);
  }

  /** Never rejects, as no program does. What is deferred within it is sent after it. */
  private async runDeferred(part: DeferredStage): Promise<void> {
    await Promise.all(part.dependsOn.map((id) => this.fetch(id).promise));
    const inherited = this.execution.failures;
    const execution: Execution = { ...this.execution, errors: [], failures: [], inherited, nulled: [] };
    await runProgram(part.stage.program, execution, (step) => step.ids.forEach((id) => this.fetch(id).resolve()));
    this.ready.push({ part, execution });
    this.schedule(part.stage.deferred);
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

interface WrittenPart extends Answer {
  /** Whether it is what was asked for, and not what says that there is too much of it. */
  isComplete: boolean;
}

/** What a deferred stage answers about an object; its faults are told with the path from the root. */
function answerAt(
  stage: Stage,
  object: DataObject,
  at: readonly (string | number)[],
  execution: Execution,
  left: number,
): WrittenPart {
  const answer = write(stage, object, execution, at, left);
  return {
    ...answer,
    isComplete: answer.errors.every(({ extensions }) => extensions['code'] !== 'RESPONSE_TOO_LARGE'),
  };
}

function tooMany(): WrittenPart {
  const message = `A deferred fragment is answered for at most ${MAX_PARTS} objects.`;
  const error = new GraphQLError(message, { extensions: { code: 'RESPONSE_TOO_LARGE' } });
  return { dataText: 'null', errors: [error], isComplete: false };
}

/** An error without a path, or above an object, is about it, too. */
function concerns({ path = [] }: GraphQLError, at: readonly (string | number)[]): boolean {
  return path.every((key, index) => index >= at.length || key === at[index]);
}
