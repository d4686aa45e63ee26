import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueryPlan } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../platform/logger';
import { countTokens } from '../documents/document-cache';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import {
  jobOf,
  keyedRequest,
  plannedRequest,
  requestInUse,
  type KeyedRequest,
  type OperationInUse,
  type OperationRequest,
  type PlannedRequest,
} from './keyed-request';
import { cannotBePlanned, planBudgetExceeded, unresolvableField } from './plan-errors';
import { mayBeStored, type PlanStore } from './plan-store';
import { createThreadPool, type PoolReply, type QueuedJob } from './thread-pool';

export type { OperationInUse, OperationRequest, PlannedRequest };

export interface PlannerOptions<T> {
  /** Its thread is taken over. */
  supergraph: LoadedSupergraph;
  /** Time for one operation, counted from when a thread starts on it. Default 2 s. */
  budgetMs?: number;
  /** Most planning threads at once. Default 2: the second is there only while the first is busy. */
  threads?: number;
  /** Plans kept. Default 1 000. */
  cacheSize?: number;
  /** Characters of operations and plans kept, a token of a document as 40 of them. Default 16 Mi, about 100 MB of memory. */
  cacheCharacters?: number;
  /** Operations that wait for a thread; one more is refused with OVERLOADED. Default 100. */
  maxQueued?: number;
  /** How long an operation that was over its budget is refused without another try. Default 1 min. */
  refusalMs?: number;
  /** Keeps plans between starts. */
  store?: PlanStore | undefined;
  logger: Logger;
  /** Makes of a plan what runs; its result is what the cache keeps. */
  compile: (request: PlannedRequest, plan: QueryPlan) => T;
}

export interface Planner<T> extends AsyncDisposable {
  /**
   * The plan of an operation: at once when it is known, otherwise as a promise. Concurrent requests for one plan share
   * its planning. `variables` (coerced) decide the conditions in it; `labels`: see `overrideConditions`; `failed`: the
   * `id`s of rules that do not hold for the caller. Rejects with
   * GraphQLError: PLAN_BUDGET_EXCEEDED (400), OVERLOADED (503), BAD_USER_INPUT, UNRESOLVABLE_FIELD or INTERNAL when there is no plan.
   */
  plan(
    request: OperationRequest,
    variables: Record<string, unknown>,
    labels?: ReadonlyMap<string, boolean>,
    failed?: readonly string[],
  ): T | Promise<T>;
  /** Operations in use, last used first: what another supergraph's planner can be warmed with. */
  inUse(): OperationInUse[];
  /**
   * Plans operations ahead, as many as are kept, whenever no client waits for a plan. Skips those that are not valid (any
   * more) or cannot be planned. Stops when `signal` aborts.
   */
  warm(operations: readonly OperationInUse[], signal?: AbortSignal): Promise<{ planned: number; skipped: number }>;
  /** A thread has loaded the supergraph. */
  ready(): Promise<void>;
}

interface Known<T> {
  compiled: T;
  use: OperationInUse;
  characters: number;
}

/** What is compiled keeps its document, whose tokens take far more memory than their text. */
const CHARACTERS_PER_TOKEN = 40;

type Refusal = 'over budget' | 'unresolvable' | 'impossible';

interface Planning<T> {
  result: Promise<T>;
  queued: QueuedJob | undefined;
}

/** A planner over one supergraph. Planning happens in threads (decision 9); disposing ends them and stores the plans. */
export function createPlanner<T>(options: PlannerOptions<T>): Planner<T> {
  const { supergraph, cacheSize = 1_000, refusalMs = 60_000, logger, compile } = options;
  const pool = createThreadPool({
    sdl: supergraph.sdl,
    first: supergraph.takeThread(),
    threads: options.threads ?? 2,
    budgetMs: options.budgetMs ?? 2_000,
    maxQueued: options.maxQueued ?? 100,
    logger,
  });
  const stored = options.store?.open(supergraph.hash);
  const known = new LRUCache<string, Known<T>>({
    max: cacheSize,
    maxSize: options.cacheCharacters ?? 16 * 1024 ** 2,
    sizeCalculation: ({ characters }) => characters,
  });
  const underWay = new Map<string, Planning<T>>();
  /** Hashes of keys, since refused operations may be long. */
  const refused = new LRUCache<string, Refusal>({ max: cacheSize, ttl: refusalMs });
  let wasStoreRead = !stored;
  void stored?.read.then(() => (wasStoreRead = true));

  const keep = (request: KeyedRequest, planText: string): T => {
    const compiled = compile(plannedRequest(request, supergraph), JSON.parse(planText) as QueryPlan);
    const characters = request.key.length + planText.length + CHARACTERS_PER_TOKEN * countTokens(request.document);
    known.set(request.key, { compiled, use: request.use, characters });
    return compiled;
  };
  const fromStore = (request: KeyedRequest): { compiled: T } | undefined => {
    const planText = stored?.get(request.key);
    if (planText === undefined) return undefined;
    try {
      return { compiled: keep(request, planText) };
    } catch (error) {
      logger.warn({ error }, 'a stored plan cannot be used and is made anew');
      return undefined;
    }
  };
  const refuse = (request: KeyedRequest, reason: Refusal, details: object): GraphQLError => {
    refused.set(hashOf(request.key), reason);
    const operation = request.use.operationName;
    if (reason === 'over budget') logger.warn({ ...details, operation }, 'an operation was over its planning budget');
    else logger.error({ ...details, operation }, 'an operation cannot be planned');
    return refusal(reason);
  };
  const planTextOf = (request: KeyedRequest, reply: PoolReply): string => {
    if (reply.kind === 'planned') return reply.plan;
    if (reply.kind === 'over budget') throw refuse(request, 'over budget', { detail: reply.detail });
    const reason = reply.reason === 'too complex' ? 'over budget' : reply.reason;
    throw refuse(request, reason, { detail: reply.message });
  };
  const compiledOf = (request: KeyedRequest, planText: string): T => {
    try {
      return keep(request, planText);
    } catch (error) {
      throw refuse(request, 'impossible', { error });
    }
  };
  const planNew = async (request: KeyedRequest, ahead: boolean, planning: Planning<T>): Promise<T> => {
    if (!wasStoreRead) {
      await stored?.read;
      const found = fromStore(request);
      if (found) return found.compiled;
    }
    planning.queued = pool.run(jobOf(request, supergraph), { ahead });
    const planText = planTextOf(request, await planning.queued.reply.catch((error: unknown) => fail(error, logger)));
    const compiled = compiledOf(request, planText);
    if (mayBeStored(request)) stored?.put(request.key, planText);
    return compiled;
  };
  const planKeyed = (request: KeyedRequest, ahead: boolean): T | Promise<T> => {
    const running = underWay.get(request.key);
    if (running) {
      if (!ahead) running.queued?.promote();
      return running.result;
    }
    const reason = refused.get(hashOf(request.key));
    if (reason) return Promise.reject(refusal(reason));
    const found = wasStoreRead ? fromStore(request) : undefined;
    if (found) return found.compiled;
    const planning: Planning<T> = { result: Promise.resolve() as Promise<never>, queued: undefined };
    planning.result = planNew(request, ahead, planning).finally(() => underWay.delete(request.key));
    underWay.set(request.key, planning);
    return planning.result;
  };

  return {
    plan(request, variables, labels, failed) {
      try {
        const keyed = keyedRequest(request, variables, labels, supergraph, failed);
        return known.get(keyed.key)?.compiled ?? planKeyed(keyed, false);
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
    inUse: () => [...known.values()].map(({ use }) => use),
    async warm(operations, signal) {
      const count = { planned: 0, skipped: 0 };
      for (const use of operations.slice(0, cacheSize)) {
        await nextTurn(); // parsing and validating a few hundred must not add up to one long pause
        if (signal?.aborted) break;
        const request = requestInUse(use, supergraph);
        const planned =
          request &&
          (await Promise.resolve(known.has(request.key) || planKeyed(request, true)).then(
            () => true,
            () => false,
          ));
        count[planned ? 'planned' : 'skipped'] += 1;
      }
      return count;
    },
    ready: () => pool.ready(),
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await stored?.[Symbol.asyncDispose]();
    },
  };
}

function refusal(reason: Refusal): GraphQLError {
  if (reason === 'unresolvable') return unresolvableField();
  return reason === 'over budget' ? planBudgetExceeded() : cannotBePlanned();
}

/** Errors that are not meant for clients are those of threads. */
function fail(error: unknown, logger: Logger): never {
  if (error instanceof GraphQLError) throw error;
  logger.error({ error }, 'a planning thread failed');
  throw cannotBePlanned();
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
