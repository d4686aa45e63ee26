import type { GraphQLError, ExecutionResult } from 'graphql';
import type { CallIdentity } from '../../platform/identity/viewer';
import type { Logger } from '../../platform/logger';
import type { SubgraphCall, Transport } from '../fetch/transport';
import type { PlannedOperation } from '../plan/planner';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import type { DataObject } from './data';

/** What every execution of this gateway shares. */
export interface ExecutionServices {
  supergraph: LoadedSupergraph;
  transports: ReadonlyMap<string, Transport>;
  logger: Logger;
}

/** Who runs an operation and how long it may go on. */
export interface Caller {
  identity: CallIdentity;
  authorization: string | undefined;
  /** Aborted when the client left. */
  signal: AbortSignal;
  /** Settles when the request body is in; the deadline counts from then, so that a long upload is not a late answer. */
  bodyReceived?: Promise<void>;
}

/** One operation, or one event of a subscription, while its plan runs. */
export interface Execution {
  services: ExecutionServices;
  planned: PlannedOperation;
  /** Coerced against the API schema. */
  variables: Record<string, unknown>;
  caller: Caller;
  /** The client left or the deadline passed: the reason tells which. */
  signal: AbortSignal;
  /** Everything fetched so far, merged. */
  data: DataObject;
  errors: GraphQLError[];
}

export type Result = ExecutionResult<DataObject>;

/** A call to one subgraph on behalf of this execution. */
export function callOf(
  execution: Pick<Execution, 'caller' | 'signal'>,
  fetch: { operation: string; operationName: string | undefined; operationKind: SubgraphCall['kind'] },
  variables: Record<string, unknown>,
): SubgraphCall {
  const { identity, authorization } = execution.caller;
  return {
    query: fetch.operation,
    operationName: fetch.operationName,
    kind: fetch.operationKind,
    variables,
    identity,
    authorization,
    signal: execution.signal,
  };
}

/** The variables a fetch uses, and only those: one subgraph need not learn what was meant for another. */
export function usedVariables(
  usages: readonly string[] | undefined,
  variables: Record<string, unknown>,
): Record<string, unknown> {
  const used = Object.create(null) as Record<string, unknown>;
  for (const name of usages ?? []) if (Object.hasOwn(variables, name)) used[name] = variables[name];
  return used;
}
