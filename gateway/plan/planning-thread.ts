import path from 'node:path';
import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { LoadReply, PlanJob, PlanReply, SupergraphDescription, ThreadSettings } from './thread/messages';

/** Why a thread gave no answer to a job: it was ended, ran out of memory, or broke. */
export type ThreadEnd = 'ended' | 'out of memory' | 'broken';

export class ThreadEndedError extends Error {
  override readonly name = 'ThreadEndedError';
  constructor(
    readonly reason: ThreadEnd,
    cause?: unknown,
  ) {
    super(`A planning thread ended: ${reason}.`, { cause });
  }
}

/** A thread that plans operations of one supergraph, one at a time. */
export interface PlanningThread extends AsyncDisposable {
  description: SupergraphDescription;
  /** Settles once the thread is gone, however it went. */
  ended: Promise<void>;
  /** Rejects with `ThreadEndedError` when the thread ends before it answers. Call it again only after the answer. */
  plan(job: PlanJob): Promise<PlanReply>;
}

/**
 * Starts a thread and waits until it has loaded the supergraph (for Sauti's own about 0.3 s). Throws with the reason
 * when the text is no supergraph.
 */
export async function startPlanningThread(sdl: string): Promise<PlanningThread> {
  const worker = new Worker(THREAD_FILE, {
    workerData: { sdl } satisfies ThreadSettings,
    resourceLimits: memoryLimits(sdl),
    name: 'planning',
    ...(IS_SOURCE ? { execArgv: ['-r', REGISTER_FILE] } : {}),
  });
  let waiting: { resolve: (reply: unknown) => void; reject: (error: Error) => void } | undefined;
  let end: ThreadEndedError | undefined;
  const finish = (error: ThreadEndedError): void => {
    end ??= error;
    waiting?.reject(end);
    waiting = undefined;
  };
  const next = <Reply>(): Promise<Reply> => {
    if (end) return Promise.reject(end);
    worker.ref(); // whoever waits for an answer keeps the process running; an idle thread does not
    // The file beside this one sends exactly one reply of this kind.
    return new Promise<unknown>((resolve, reject) => (waiting = { resolve, reject })) as Promise<Reply>;
  };
  worker.on('message', (reply: unknown) => {
    worker.unref();
    waiting?.resolve(reply);
    waiting = undefined;
  });
  worker.on('error', (error: NodeJS.ErrnoException) =>
    finish(new ThreadEndedError(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out of memory' : 'broken', error)),
  );
  const ended = new Promise<void>((resolve) =>
    worker.once('exit', () => {
      finish(new ThreadEndedError('ended'));
      resolve();
    }),
  );
  const dispose = async (): Promise<void> => void (await worker.terminate());

  const loaded = await next<LoadReply>();
  if (loaded.kind === 'unreadable') {
    await dispose();
    throw new Error(loaded.message);
  }
  return {
    description: loaded.description,
    ended,
    plan(job) {
      const answer = next<PlanReply>();
      worker.postMessage(job);
      return answer;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** From the sources (jest, scripts) the thread compiles them as its parent does; a build has JavaScript beside this file. */
const IS_SOURCE = __filename.endsWith('.ts');
const THREAD_FILE = path.join(__dirname, 'thread', IS_SOURCE ? 'main.ts' : 'main.js');
const REGISTER_FILE = path.join(__dirname, '../../platform/testing/register.cjs');

/**
 * Bounds of a thread's heap. What a supergraph takes grows with its text (about 25 MB for 55 KB); the rest is room for
 * one operation, and one that needs more is refused. A small young generation keeps the resident size down.
 */
function memoryLimits(sdl: string): ResourceLimits {
  return { maxOldGenerationSizeMb: 256 + Math.ceil(sdl.length / 1_000), maxYoungGenerationSizeMb: 16 };
}
