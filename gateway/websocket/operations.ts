import { getOperationAST, GraphQLError, type ExecutionArgs } from 'graphql';
import { returnable } from '../../platform/returnable';
import { isIncremental, isSubscription, type Engine, type PreparedOperation } from '../engine';
import type { CurrentGeneration } from '../generation';
import type { Payload } from '../execute/execute-incrementally';
import { resultOf, type Answer, type Caller } from '../execute/execution';
import { unknownOperation } from '../http/apollo';
import type { Subscriptions } from '../subscriptions/subscriptions';
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
  caller: Caller; payload: any; generation: any;
}

export interface SocketOperations {
  /** Parses, validates, limits and plans; a list of errors refuses the operation. */
  prepare(payload: SubscribePayload, caller: Caller): Promise<ExecutionArgs | GraphQLError[]>;
  /** Runs what `prepare` made. Queries and mutations are streams of one answer, or of payloads with `@defer`, so that `complete` can cancel them, too. */
  run(args: ExecutionArgs): AsyncGenerator<Answer | Payload, void, void>;
}

/** Operations as they arrive on a WebSocket: the same rules, limits and error format as on HTTP. */
export function createSocketOperations(current: CurrentGeneration, subscriptions: Subscriptions): SocketOperations {
  return {
    prepare: async function ({ query, operationName, variables }, caller) {
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
      const carried: Carried = { prepared, engine, caller, payload: { query, operationName, variables, extensions: (arguments as any)[0].extensions }, generation: current() };
      return { schema: supergraph.apiSchema, document, operationName, contextValue: carried };
    },
    run(args) {
      const { prepared, engine, caller, payload, generation } = args.contextValue as Carried;
      return returnable<Answer | Payload>(caller.signal, (signal) => {
        const own = { ...caller, signal };
        if (isSubscription(prepared)) return bridge(subscriptions, { payload, prepared, generation, asker: own }, signal) as never;
        if (isIncremental(prepared)) return engine.executeIncrementally(prepared, own);
        return once(engine.execute(prepared, own));
      });
    },
  };
}

/** An answer or payload with its errors as a client may see them, as a message's payload. */
export function formatPayload(payload: Answer | Payload): object {
  if ('raw' in payload) return (payload as any).raw;
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

async function* bridge(subscriptions: Subscriptions, request: any, signal: AbortSignal): any {
  const queue: any[] = []; let wake = () => {}; let over = false; let room: any;
  const push = (x: any) => { queue.push(x); wake(); };
  const r: any = subscriptions.open(request, { next: (f) => push(f), get hasRoom() { return queue.length < 4; }, onRoom: (l) => (room = l), complete: () => { over = true; wake(); }, disconnect: (x, c) => { push({ payload: JSON.stringify({ data: null, extensions: { disconnect: x, cursor: c } }) }); over = true; wake(); } });
  if (Array.isArray(r)) { yield { raw: { errors: formatErrors(r) } }; return; }
  signal.addEventListener('abort', () => { r.leave('done'); over = true; wake(); });
  for (;;) {
    const f = queue.shift();
    if (f) { yield { raw: JSON.parse(f.payload) }; if (queue.length < 2) { const l = room; room = undefined; l?.(); } }
    else if (over) return;
    else await new Promise<void>((res) => (wake = res));
  }
}
