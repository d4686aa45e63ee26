import type { IncomingHttpHeaders } from 'node:http';
import type { Operation } from '@apollo/federation-internals';
import type { QueryPlan } from '@apollo/query-planner';
import type { GraphQLError, ExecutionResult, OperationDefinitionNode } from 'graphql';
import type { CallIdentity } from '../../platform/identity/viewer';
import type { Logger } from '../../platform/logger';
import { uploadsIn } from '../fetch/multipart-body';
import { subgraphOperation, type SubgraphCall, type Transport } from '../fetch/transport';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import type { DataObject } from './data';

/** An operation with its plan. Shared by all requests with the same text, so it must not be changed. */
export interface PlannedOperation {
  /** In the planner's own classes, against the API schema; shaping reads it. */
  operation: Operation;
  definition: OperationDefinitionNode;
  plan: QueryPlan;
  /** The response name a client knows, for every name that planning replaced. */
  clientNames: ReadonlyMap<string, string>;
}

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
  /** Headers of the client's HTTP request, for the forwarding rules of subgraphs. */
  headers?: IncomingHttpHeaders | undefined;
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
  fetch: { operation: string; operationName: string | undefined; operationKind: SubgraphCall['operation']['kind'] },
  variables: Record<string, unknown>,
): SubgraphCall {
  const { identity, authorization, headers } = execution.caller;
  return {
    operation: subgraphOperation(fetch.operation, fetch.operationName, fetch.operationKind),
    variablesText: () => JSON.stringify(variables),
    variables: () => variables,
    hasUploads: uploadsIn(variables).files.length > 0,
    identity,
    authorization,
    headers,
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
