import type { Logger } from '../../platform/logger';
import { planningStopped, tooManyToPlan } from './plan-errors';
import { startPlanningThread, ThreadEndedError, type PlanningThread } from './planning-thread';
import type { PlanJob, PlanReply } from './thread/messages';

/** What came of a job: the thread's answer, or that it took more than its budget. */
export type PoolReply = PlanReply | { kind: 'over budget'; detail: 'time' | 'memory' };

export interface QueuedJob {
  /** Rejects with a GraphQLError when the pool is full or stops, with other errors when threads break. */
  reply: Promise<PoolReply>;
  /** Lets a job that was to be done ahead go with those that somebody waits for. */
  promote(): void;
}

export interface ThreadPoolOptions {
  sdl: string;
  /** A thread that has loaded the supergraph already; the pool ends it. */
  first: PlanningThread | undefined;
  /** Most threads at once. */
  threads: number;
  /** Time for one job, from when a thread starts on it. */
  budgetMs: number;
  /** Jobs that wait for a thread. */
  maxQueued: number;
  logger: Logger;
}

export interface ThreadPool extends AsyncDisposable {
  /** `ahead`: only when nothing else waits. Those do not count against `maxQueued`. */
  run(job: PlanJob, options?: { ahead: boolean }): QueuedJob;
  /** A thread has loaded the supergraph. */
  ready(): Promise<void>;
}

interface Entry {
  job: PlanJob;
  resolve: (reply: PoolReply) => void;
  reject: (error: unknown) => void;
}

interface Slot {
  /** Undefined while it starts. */
  thread: PlanningThread | undefined;
  started: Promise<void>;
  isBusy: boolean;
  idle: NodeJS.Timeout | undefined;
  /** It is ended because there is nothing to do: none has to take its place. */
  isRetired: boolean;
}

/** How long a job must run before another thread is started for those behind it; most take less than a start does. */
const SPARE_THREAD_AFTER_MS = 100;
/** How long a thread stays without work, since it holds tens of megabytes: one beside others, and the last one. */
const IDLE_MS = 10_000;
const LAST_IDLE_MS = 60_000;

/**
 * Planning threads behind one queue, first come, first served. More than one are started only while it is busy for long
 * and others wait. Threads end when idle, the last one only after a while: operations nobody asked before are rare then,
 * and wait for its start. A job over its budget loses its thread, so it can hold up others for `budgetMs`
 * only, and a queue full of such jobs passes at `threads` per `budgetMs`.
 */
export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const { sdl, threads, budgetMs, maxQueued, logger } = options;
  const slots = new Set<Slot>();
  const waiting: Entry[] = [];
  const ahead: Entry[] = [];
  const endings = new Set<Promise<void>>();
  let spare: NodeJS.Timeout | undefined;
  let isStopped = false;

  const open = (thread: Promise<PlanningThread>): Slot => {
    const slot: Slot = {
      thread: undefined,
      started: Promise.resolve(),
      isBusy: false,
      idle: undefined,
      isRetired: false,
    };
    slots.add(slot);
    slot.started = thread.then(
      (loaded) => {
        slot.thread = loaded;
        endings.add(loaded.ended);
        void loaded.ended.then(() => (endings.delete(loaded.ended), close(slot)));
        if (isStopped) void loaded[Symbol.asyncDispose]();
        dispatch();
      },
      (error: unknown) => {
        logger.error({ error }, 'a planning thread could not start');
        slots.delete(slot);
        // Nobody waits for a thread that may never come; the next job tries again.
        if (slots.size === 0) for (const entry of [...waiting.splice(0), ...ahead.splice(0)]) entry.reject(error);
      },
    );
    return slot;
  };
  const close = (slot: Slot): void => {
    clearTimeout(slot.idle);
    if (slots.delete(slot)) dispatch(!slot.isRetired);
  };

  const dispatch = (mustKeepOne = false): void => {
    if (isStopped) return;
    for (const slot of slots) {
      if (!slot.thread || slot.isBusy || slot.isRetired) continue;
      const entry = waiting.shift() ?? ahead.shift();
      if (entry) void work(slot, slot.thread, entry);
      else slot.idle ??= setTimeout(endIdle, IDLE_MS, slot, false).unref();
    }
    const isNeeded = mustKeepOne || waiting.length + ahead.length > 0;
    if (slots.size === 0 && isNeeded) open(startPlanningThread(sdl));
    else if (waiting.length > 0 && slots.size < threads) spare ??= setTimeout(startSpare, SPARE_THREAD_AFTER_MS);
  };
  const startSpare = (): void => {
    spare = undefined;
    if (waiting.length === 0 || slots.size >= threads || [...slots].some(({ thread }) => !thread)) return;
    open(startPlanningThread(sdl));
  };
  const endIdle = (slot: Slot, isLastCall: boolean): void => {
    slot.idle = undefined;
    if (slot.isBusy) return;
    if (slots.size === 1 && !isLastCall) {
      slot.idle = setTimeout(endIdle, LAST_IDLE_MS - IDLE_MS, slot, true).unref();
      return;
    }
    slot.isRetired = true;
    void slot.thread?.[Symbol.asyncDispose]();
  };

  const work = async (slot: Slot, thread: PlanningThread, entry: Entry): Promise<void> => {
    slot.isBusy = true;
    clearTimeout(slot.idle);
    slot.idle = undefined;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      void thread[Symbol.asyncDispose]();
    };
    let lastLook: NodeJS.Immediate | undefined;
    // If it was this thread that was late, the answer is already there and is read before the immediate.
    const budget = setTimeout(() => (lastLook = setImmediate(end)), budgetMs);
    try {
      entry.resolve(await thread.plan(entry.job));
    } catch (error) {
      const reason = error instanceof ThreadEndedError ? error.reason : undefined;
      if (isOver) entry.resolve({ kind: 'over budget', detail: 'time' });
      else if (reason === 'out of memory') entry.resolve({ kind: 'over budget', detail: 'memory' });
      else entry.reject(isStopped ? planningStopped() : error);
      await thread.ended;
    } finally {
      clearTimeout(budget);
      clearImmediate(lastLook);
      slot.isBusy = false;
      dispatch();
    }
  };

  if (options.first) open(Promise.resolve(options.first));
  else open(startPlanningThread(sdl));

  return {
    run(job, { ahead: isAhead } = { ahead: false }) {
      if (isStopped) return { reply: Promise.reject(planningStopped()), promote() {} };
      if (!isAhead && waiting.length >= maxQueued) return { reply: Promise.reject(tooManyToPlan()), promote() {} };
      const { promise, ...settle } = withResolvers<PoolReply>();
      const entry: Entry = { job, ...settle };
      (isAhead ? ahead : waiting).push(entry);
      dispatch();
      return {
        reply: promise,
        promote() {
          const index = ahead.indexOf(entry);
          if (index < 0) return;
          waiting.push(...ahead.splice(index, 1));
          dispatch();
        },
      };
    },
    async ready() {
      for (const slot of slots) await slot.started;
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearTimeout(spare);
      for (const entry of [...waiting.splice(0), ...ahead.splice(0)]) entry.reject(planningStopped());
      await Promise.all([...slots].map(({ started }) => started));
      const running = [...slots];
      for (const slot of running) clearTimeout(slot.idle);
      await Promise.all(running.map(async ({ thread }) => thread?.[Symbol.asyncDispose]()));
      await Promise.all(endings);
    },
  };
}

function withResolvers<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((yes, no) => ((resolve = yes), (reject = no)));
  return { promise, resolve, reject };
}
