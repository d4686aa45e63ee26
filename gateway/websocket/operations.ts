import { getOperationAST, GraphQLError, type ExecutionArgs } from 'graphql';
import { returnable } from '../../platform/returnable';
import { isIncremental, isSubscription, type Engine, type PreparedOperation } from '../engine';
import type { CurrentGeneration } from '../generation';
import type { Payload } from '../execute/execute-incrementally';
import { resultOf, type Answer, type Caller } from '../execute/execution';
import { unknownOperation } from '../http/apollo';
import { formatErrors } from '../http/format-error';

interface SubscribePayload {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/** What graphql-ws carries from its `onSubscribe` to its `execute` and `subscribe`. */
interface Carried {
  prepared: PreparedOperation;
  engine: Engine;
  caller: Caller;
}

export interface SocketOperations {
  /** Parses, validates, limits and plans; a list of errors refuses the operation. */
  prepare(payload: SubscribePayload, caller: Caller): Promise<ExecutionArgs | GraphQLError[]>;
  /** Runs what `prepare` made. Queries and mutations are streams of one answer, or of payloads with `@defer`, so that `complete` can cancel them, too. */
  run(args: ExecutionArgs): AsyncGenerator<Answer | Payload, void, void>;
}

/** Operations as they arrive on a WebSocket: the same rules, limits and error format as on HTTP. */
export function createSocketOperations(current: CurrentGeneration): SocketOperations {
  return {
    async prepare({ query, operationName, variables }, caller) {
      const { engine, documents, supergraph } = current();
      const document = documents.read(query);
      if (Array.isArray(document)) return document;
      const operation = getOperationAST(document, operationName);
      if (!operation)
        return [new GraphQLError(unknownOperation(operationName), { extensions: { code: 'BAD_REQUEST' } })];
      const prepared = await engine.prepare(
        { source: query, document, operation },
        variables ?? {},
        caller.identity.requestId,
      );
      if ('errors' in prepared) return prepared.errors;
      const carried: Carried = { prepared, engine, caller };
      return { schema: supergraph.apiSchema, document, operationName, contextValue: carried };
    },
    run(args) {
      const { prepared, engine, caller } = args.contextValue as Carried;
      return returnable<Answer | Payload>(caller.signal, (signal) => {
        const own = { ...caller, signal };
        if (isSubscription(prepared)) return engine.subscribe(prepared, own);
        if (isIncremental(prepared)) return engine.executeIncrementally(prepared, own);
        return once(engine.execute(prepared, own));
      });
    },
  };
}

/** An answer or payload with its errors as a client may see them, as a message's payload. */
export function formatPayload(payload: Answer | Payload): object {
  if (!('kind' in payload)) return formatAnswer(payload);
  if (payload.kind === 'initial') return { ...formatAnswer(payload), hasNext: payload.hasNext };
  const incremental = payload.parts.map(({ label, path, ...answer }) => ({
    ...formatAnswer(answer),
    path,
    ...(label === undefined ? {} : { label }),
  }));
  return { ...(incremental.length > 0 ? { incremental } : {}), hasNext: payload.hasNext };
}

function formatAnswer(answer: Answer): object {
  const { data, errors } = resultOf(answer);
  return { data, ...(errors ? { errors: formatErrors(errors) } : {}) };
}

async function* once(answer: Promise<Answer>): AsyncGenerator<Answer, void, void> {
  yield await answer;
}
