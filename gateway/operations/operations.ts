import { getOperationAST, GraphQLError } from 'graphql';
import type { Logger } from '../../platform/logger';
import { Cancellation } from '../../platform/cancellation';
import { isIncremental, isSubscription, type PreparedOperation } from '../engine';
import type { Payload } from '../execute/execute-incrementally';
import type { Answer, Asker, Caller } from '../execute/execution';
import type { CurrentGeneration, Generation } from '../generation';
import { unknownOperation } from '../http/apollo';
import { answerText, payloadText } from '../http/send-answer';
import type { Subscriptions } from '../subscriptions/subscriptions';
import type { Outlet } from './outlet';

export type { Asker };

/** What a client sends to start an operation, on every transport that can carry several answers to it. */
export interface OperationPayload {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
  extensions?: Record<string, unknown> | null | undefined;
}

/** How a client leaves: it wants no more, or its connection is gone and it may come back for what it missed. */
export type Leaving = 'done' | 'lost';

export interface RunningOperation {
  /** Any other one answers soon, and is worth waiting for when the gateway stops. */
  readonly isSubscription: boolean;
  /** Nothing is sent from now on and what runs is cancelled. May be called again, and after the end. */
  leave(how: Leaving): void;
  /** The same viewer proved again who it is: what is asked on its behalf from now on is asked with that. */
  renew(asker: Asker): void;
}

export interface Operations {
  /**
   * Starts any kind of operation by the same rules, limits and error format as over HTTP, and sends its answers to the
   * outlet: one for a query or mutation, several with `@defer`, one for each event of a subscription; then it completes
   * the outlet. A list of errors refuses the operation: then the outlet has not been touched. Never rejects.
   */
  start(payload: OperationPayload, asker: Asker, outlet: Outlet): Promise<RunningOperation | GraphQLError[]>;
}

export function createOperations(current: CurrentGeneration, subscriptions: Subscriptions, logger: Logger): Operations {
  return {
    async start(payload, asker, outlet) {
      const { requestId } = asker.identity;
      let isAdmitted = false;
      try {
        for (;;) {
          const generation = current();
          const refusal = isAdmitted ? undefined : await admit(generation, payload, asker);
          if (refusal) return [refusal];
          isAdmitted = true;
          const prepared = await prepareOperation(generation, payload, asker);
          if (Array.isArray(prepared)) return prepared;
          if (!isSubscription(prepared)) return answer(prepared, generation, asker, outlet);
          // A supergraph that came meanwhile has moved the others: this one would stay behind.
          if (generation === current()) return subscriptions.open({ payload, prepared, generation, asker }, outlet);
        }
      } catch (error) {
        logger.error({ error, requestId }, 'an operation could not be started');
        const message = 'Something went wrong on our side.';
        return [new GraphQLError(message, { extensions: { code: 'INTERNAL', requestId } })];
      }
    },
  };
}

/** What is no valid operation is not counted: preparing it says what is wrong. */
async function admit(
  { admission, documents }: Generation,
  { query, operationName, variables }: OperationPayload,
  { identity }: Asker,
): Promise<GraphQLError | undefined> {
  const document = admission && documents.read(query);
  if (!document || Array.isArray(document)) return undefined;
  const operation = getOperationAST(document, operationName);
  return operation ? admission.admit({ document, operation }, variables ?? {}, identity) : undefined;
}

/** Parses, validates, limits and plans an operation; a list of errors refuses it. */
export async function prepareOperation(
  { engine, documents }: Generation,
  { query, operationName, variables }: OperationPayload,
  asker: Asker,
): Promise<PreparedOperation | GraphQLError[]> {
  const document = documents.read(query);
  if (Array.isArray(document)) return document;
  const operation = getOperationAST(document, operationName);
  if (!operation) return [new GraphQLError(unknownOperation(operationName), { extensions: { code: 'BAD_REQUEST' } })];
  const prepared = await engine.prepare({ source: query, document, operation }, variables ?? {}, asker);
  return 'errors' in prepared ? prepared.errors : prepared;
}

function answer(prepared: PreparedOperation, { engine }: Generation, asker: Asker, outlet: Outlet): RunningOperation {
  const left = new Cancellation();
  const caller: Caller = { ...asker, signal: left };
  const send = (payload: string): void => {
    if (!left.aborted) outlet.next({ payload, cursor: undefined });
  };
  const run = async (): Promise<void> => {
    if (isIncremental(prepared)) await sendParts(engine.executeIncrementally(prepared, caller), send);
    else send(`{${answerText(await engine.execute(prepared, caller))}}`);
    if (!left.aborted) outlet.complete();
  };
  // Execution never rejects: what fails is in the answer.
  void run();
  return { isSubscription: false, leave: () => left.abort(new Error('The client left.')), renew: () => {} };
}

async function sendParts(
  payloads: AsyncGenerator<Answer | Payload, void, void>,
  send: (payload: string) => void,
): Promise<void> {
  for await (const payload of payloads) send('kind' in payload ? payloadText(payload) : `{${answerText(payload)}}`);
}
