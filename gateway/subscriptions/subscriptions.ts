import type { GraphQLError } from 'graphql';
import { Cancellation } from '../../platform/cancellation';
import type { PreparedOperation } from '../engine';
import type { Generation } from '../generation';
import { answerText } from '../http/send-answer';
import type { Outlet } from '../operations/outlet';
import type { Asker, OperationPayload, RunningOperation } from '../operations/operations';

/** One client's wish to hear of events. */
export interface SubscribeRequest {
  /** As the client sent it: it is prepared again when the supergraph changes. */
  payload: OperationPayload;
  prepared: PreparedOperation;
  generation: Generation;
  asker: Asker;
}

/** Everybody's subscriptions. */
export interface Subscriptions {
  /** Sends the events of a subscription to the outlet. A list of errors refuses it: then the outlet has not been touched. */
  open(request: SubscribeRequest, outlet: Outlet): RunningOperation | GraphQLError[];
}

export function createSubscriptions(): Subscriptions {
  return {
    open({ prepared, generation, asker }, outlet) {
      const left = new Cancellation();
      const run = async (): Promise<void> => {
        for await (const answer of generation.engine.subscribe(prepared, { ...asker, signal: left })) {
          if (left.aborted) return;
          outlet.next({ payload: `{${answerText(answer)}}`, cursor: undefined });
          if (!outlet.hasRoom) await new Promise<void>((resolve) => outlet.onRoom(resolve));
        }
        if (!left.aborted) outlet.complete();
      };
      void run();
      return { leave: () => left.abort(new Error('The client left.')), renew: () => {} };
    },
  };
}
