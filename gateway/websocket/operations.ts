import {
  getOperationAST,
  GraphQLError,
  parse,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLSchema,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { returnable } from '../../platform/returnable';
import { isSubscription, type Engine, type PreparedOperation } from '../engine';
import type { Caller, Result } from '../execute/execution';
import { unknownOperation } from '../http/apollo';
import { formatError } from '../http/format-error';
import { limitRules, parseOptions, type OperationLimits } from '../limits';
import { socketRules } from './single-root-field';

interface SubscribePayload {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/** What graphql-ws carries from its `onSubscribe` to its `execute` and `subscribe`. */
interface Carried {
  prepared: PreparedOperation;
  caller: Caller;
}

export interface SocketOperations {
  /** Parses, validates, limits and plans; a list of errors refuses the operation. */
  prepare(payload: SubscribePayload, caller: Caller): Promise<ExecutionArgs | GraphQLError[]>;
  /** Runs what `prepare` made. Queries and mutations are streams of one result, so that `complete` can cancel them, too. */
  run(args: ExecutionArgs): AsyncGenerator<Result, void, void>;
}

/** Operations as they arrive on a WebSocket: the same rules, limits and error format as on HTTP. */
export function createSocketOperations(options: {
  schema: GraphQLSchema;
  engine: Engine;
  limits: OperationLimits;
  development: boolean;
  /** Parsed and validated documents kept. */
  cacheSize: number;
}): SocketOperations {
  const { schema, engine } = options;
  const rules = [...socketRules, ...limitRules(options.limits, { introspection: options.development })];
  const documents = new LRUCache<string, DocumentNode>({ max: options.cacheSize });

  const read = (query: string): DocumentNode | GraphQLError[] => {
    const known = documents.get(query);
    if (known) return known;
    try {
      const document = parse(query, parseOptions(options.limits));
      const errors = validate(schema, document, rules, { hideSuggestions: !options.development });
      if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
      documents.set(query, document);
      return document;
    } catch (error) {
      return [
        withCode(
          error instanceof GraphQLError ? error : new GraphQLError('The document cannot be read.'),
          'GRAPHQL_PARSE_FAILED',
        ),
      ];
    }
  };
  return {
    async prepare({ query, operationName, variables }, caller) {
      const document = read(query);
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
      const carried: Carried = { prepared, caller };
      return { schema, document, operationName, contextValue: carried };
    },
    run(args) {
      const { prepared, caller } = args.contextValue as Carried;
      return returnable(caller.signal, (signal) => {
        const own = { ...caller, signal };
        return isSubscription(prepared) ? engine.subscribe(prepared, own) : once(engine.execute(prepared, own));
      });
    },
  };
}

/** Results and errors as a client may see them. */
export function formatResult(result: Result): {
  data?: Record<string, unknown> | null;
  errors?: ReturnType<typeof formatError>[];
} {
  const { data, errors } = result;
  return {
    ...(data === undefined ? {} : { data }),
    ...(errors?.length ? { errors: errors.map((error) => formatError(error.toJSON(), error)) } : {}),
  };
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions } = error;
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    extensions: { code: error.extensions['code'] ?? code },
  });
}

async function* once(result: Promise<Result>): AsyncGenerator<Result, void, void> {
  yield await result;
}
