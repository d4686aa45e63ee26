import type { IncomingHttpHeaders } from 'node:http';
import type { ExecutionResult, FieldNode, GraphQLError } from 'graphql';
import type { Cancellation, CancelSignal } from '../../platform/cancellation';
import type { SessionChange } from '../../platform/identity/session-change';
import type { CallIdentity } from '../../platform/identity/viewer';
import type { Logger } from '../../platform/logger';
import type { CompiledOperation } from '../compile/compile-operation';
import type { FlattenPath } from '../compile/flatten-path';
import type { TypeTests } from '../compile/types';
import type { Transport } from '../fetch/transport';
import type { DataObject, KeepTypename } from './data';
import type { Failure } from './errors';

/** What every execution over one supergraph shares. */
export interface ExecutionServices {
  types: TypeTests;
  keepTypename: KeepTypename;
  transports: ReadonlyMap<string, Transport>;
  logger: Logger;
  /** Answers a `__schema` or `__type` field of an operation with its JSON text. */
  introspect: (field: FieldNode, operation: CompiledOperation, variables: Record<string, unknown>) => string;
  /** Whether messages of subgraph errors without a code pass. */
  showsAllMessages: boolean;
  /** Characters of JSON one answer may have. */
  maxResponseLength: number;
}

/** Who runs an operation and how long it may go on. */
export interface Caller {
  identity: CallIdentity;
  authorization: string | undefined;
  /** Headers of the client's HTTP request, for the forwarding rules of subgraphs. */
  headers?: IncomingHttpHeaders | undefined;
  /** What the client sent when it opened its WebSocket, for subgraphs that are to get it, too. */
  connectionParams?: Record<string, unknown> | undefined;
  /** In cookie mode: told of each change of the client's session, before the answer is sent. */
  onSession?: ((change: SessionChange) => void) | undefined;
  /** Aborted when the client left. */
  signal: CancelSignal;
  /** What aborts the signal, where only this operation listens to it: then its deadline does so, too. */
  controller?: Cancellation;
  /** Settles when the request body is in; the deadline counts from then, so that a long upload is not a late answer. */
  bodyReceived?: Promise<void>;
}

/** Who asks, and what may be forwarded of the request. */
export type Asker = Omit<Caller, 'signal' | 'controller' | 'bodyReceived'>;

/** One operation, or one event of a subscription, while it runs. */
export interface Execution {
  services: ExecutionServices;
  compiled: CompiledOperation;
  /** Coerced against the API schema. */
  variables: Record<string, unknown>;
  caller: Caller;
  /** The client left or the deadline passed: the reason tells which. */
  signal: CancelSignal;
  /** Everything fetched so far, merged. */
  data: DataObject;
  errors: GraphQLError[];
  /** Fetches without an answer. */
  failures: Failure[];
  /** Those of the parts before, for what is deferred. */
  inherited: readonly Failure[];
  /** Fields that are null because an error elsewhere in the same answer of a subgraph made them so. */
  nulled: (readonly (string | number)[])[];
  places: DataPlaces;
}

/** What is known of where objects are in the data; all parts of an operation with `@defer` know the same. */
export interface DataPlaces {
  /** Whether some objects stand at several places: equal entities share what was fetched for them. */
  isShared: boolean;
  /** The objects found at paths, as long as no fetch adds or replaces objects. */
  found: Map<FlattenPath, readonly DataObject[]>;
}

/** An answer whose data is JSON text already: it is written once, and most transports send it as it is. */
export interface Answer {
  /** The JSON text of `data`. */
  dataText: string;
  errors: readonly GraphQLError[];
}

export type Result = ExecutionResult<DataObject>;

/** An answer as the objects that graphql-js would give. */
export function resultOf({ dataText, errors }: Answer): Result {
  return { ...(errors.length > 0 ? { errors } : {}), data: JSON.parse(dataText) as DataObject | null };
}
