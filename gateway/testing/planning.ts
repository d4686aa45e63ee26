import { parse, getOperationAST } from 'graphql';
import type { QueryPlan } from '@apollo/query-planner';
import { silentLogger } from '../../platform/logger';
import { createPlanner, type OperationRequest, type Planner, type PlannerOptions } from '../plan/planner';
import { loadSupergraph, type LoadedSupergraph } from '../supergraph/supergraph';

/** A planner whose first thread is watched; what it compiles is the plan itself. */
export async function aPlanner(
  sdl: string,
  options: Partial<PlannerOptions<QueryPlan>> = {},
): Promise<
  {
    planner: Planner<QueryPlan>;
    supergraph: LoadedSupergraph;
    /** Texts that the first thread was asked to plan. */
    asked: string[];
    /** The end of the first thread. */
    ended: Promise<void>;
  } & AsyncDisposable
> {
  const supergraph = await loadSupergraph(sdl);
  const thread = supergraph.takeThread()!;
  const asked: string[] = [];
  const watched = {
    ...thread,
    plan: (job: Parameters<typeof thread.plan>[0]) => (asked.push(job.text), thread.plan(job)),
  };
  const planner = createPlanner<QueryPlan>({
    supergraph: { ...supergraph, takeThread: () => watched },
    logger: silentLogger,
    compile: (_request, plan) => plan,
    ...options,
  });
  return {
    planner,
    supergraph,
    asked,
    ended: thread.ended,
    [Symbol.asyncDispose]: () => planner[Symbol.asyncDispose](),
  };
}

/** A request as it arrives at the planner. */
export function aRequest(source: string, operationName?: string): OperationRequest {
  const document = parse(source);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new Error('The document has no such operation.');
  return { source, document, operation };
}
