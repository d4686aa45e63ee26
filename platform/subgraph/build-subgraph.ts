import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  createSourceEventStream,
  execute,
  Kind,
  locatedError,
  parse,
  validate,
  type DefinitionNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { gql } from 'graphql-tag';
import { LRUCache } from 'lru-cache';
import { isUnexpected, toPublicError } from '../errors';
import type { Viewer } from '../identity/viewer';
import type { Logger } from '../logger';
import { returnable } from '../returnable';
import { guardFields } from './field-rules';
import { entityShapes, guardEntities } from './representations';
import type {
  ByteRoute,
  SocketRoute,
  Subgraph,
  SubgraphCallOptions,
  SubgraphRequest,
  SubgraphResult,
} from './subgraph';

/** Fetches of one supergraph repeat: the gateway's plans write the same text for the same operation. */
const DOCUMENT_CACHE_SIZE = 1_000;

type Resolvers = Parameters<typeof buildSubgraphSchema>[0] extends infer Module
  ? Module extends { resolvers?: infer R }
    ? R
    : never
  : never;

export interface SubgraphOptions<Context extends object> {
  name: string;
  /** Text of schema.graphql. */
  typeDefs: string;
  /** One object for each type; the generated `Resolvers` type of the slice checks it. */
  resolvers: object;
  /** What one request carries: viewer, loaders, services, signal. */
  createContext: (options: SubgraphCallOptions) => Context;
  /** What a query or mutation has to tell the gateway besides its answer; see `SubgraphResult.extensions`. */
  extensionsOf?: (context: Context) => Readonly<Record<string, unknown>> | undefined;
  logger: Logger;
  byteRoutes?: readonly ByteRoute[];
  socketRoutes?: readonly SocketRoute[];
  /** Needed by routes that keep their connections; see `Subgraph`. */
  closeRoutes?: () => Promise<void>;
  ready: () => Promise<void>;
}

/**
 * Makes an executable subgraph from its schema text, resolvers and context. It keeps the rules of its own schema about
 * callers (`guardFields`) and takes only representations that a gateway would send (`guardEntities`).
 */
export function buildSubgraph<Context extends object>(options: SubgraphOptions<Context>): Subgraph {
  const typeDefs = gql(options.typeDefs);
  const schema = buildSubgraphSchema({ typeDefs, resolvers: options.resolvers as Exclude<Resolvers, undefined> });
  const viewers = new WeakMap<object, Viewer | null>();
  const check = guardFields(schema, typeDefs, (context) => viewers.get(context) ?? null);
  guardEntities(schema, entityShapes(typeDefs), check);
  const contextOf = (call: SubgraphCallOptions): Context => {
    const context = options.createContext(call);
    viewers.set(context, call.identity.viewer);
    return context;
  };
  const documents = new LRUCache<string, DocumentNode | readonly GraphQLError[]>({ max: DOCUMENT_CACHE_SIZE });

  const prepare = (request: SubgraphRequest, call: SubgraphCallOptions) => {
    const document = documentOf(schema, documents, request.query);
    if (isErrors(document)) return { errors: document };
    return {
      args: {
        schema,
        document,
        variableValues: request.variables,
        operationName: request.operationName,
        contextValue: contextOf(call),
      },
    };
  };
  const finish = (result: ExecutionResult, call: SubgraphCallOptions): SubgraphResult =>
    publicResult(result, call, options);

  return {
    name: options.name,
    byteRoutes: options.byteRoutes ?? [],
    socketRoutes: options.socketRoutes ?? [],
    closeRoutes: options.closeRoutes ?? (async () => {}),
    ready: options.ready,
    async execute(request, call) {
      try {
        const prepared = prepare(request, call);
        if (!prepared.args) return finish({ errors: prepared.errors }, call);
        const result = finish(await execute(prepared.args), call);
        const extensions = options.extensionsOf?.(prepared.args.contextValue);
        return extensions ? { ...result, extensions } : result;
      } catch (error) {
        return finish({ errors: [error as GraphQLError] }, call);
      }
    },
    subscribe: (request, call) =>
      returnable(call.signal, async function* (signal) {
        const own = { ...call, signal };
        const prepared = prepare(request, own);
        const events = prepared.args ? await createSourceEventStream(prepared.args) : { errors: prepared.errors };
        if (!isAsyncGenerator(events)) return yield finish(events as ExecutionResult, own);
        try {
          for await (const event of events) {
            // A context for each event: its loaders must not remember what an earlier event saw.
            const args = { ...prepared.args!, rootValue: event, contextValue: contextOf(own) };
            yield finish(await execute(args), own);
          }
        } catch (error) {
          // A source stream that fails ends the subscription with the reason instead of with silence.
          yield finish({ errors: [locatedAtRoot(error, prepared.args!.document)] }, own);
        } finally {
          await events.return(undefined);
        }
      }),
  };
}

/** The error at the subscription's field, where graphql-js would put one that comes before the first event. */
function locatedAtRoot(error: unknown, document: DocumentNode): GraphQLError {
  const isOperation = (node: DefinitionNode): node is OperationDefinitionNode =>
    node.kind === Kind.OPERATION_DEFINITION;
  const field = document.definitions.find(isOperation)?.selectionSet.selections[0];
  const path = field?.kind === Kind.FIELD ? [field.alias?.value ?? field.name.value] : [];
  return locatedError(error, field, path);
}

function documentOf(
  schema: GraphQLSchema,
  cache: LRUCache<string, DocumentNode | readonly GraphQLError[]>,
  query: string,
): DocumentNode | readonly GraphQLError[] {
  const known = cache.get(query);
  if (known) return known;
  let document: DocumentNode | readonly GraphQLError[];
  try {
    const parsed = parse(query, { noLocation: true });
    const errors = validate(schema, parsed);
    document = errors.length > 0 ? errors : parsed;
  } catch (error) {
    document = [error as GraphQLError];
  }
  cache.set(query, document);
  return document;
}

function isAsyncGenerator(
  value: AsyncIterable<unknown> | ExecutionResult,
): value is AsyncGenerator<unknown, void, void> & AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}

function isErrors(value: DocumentNode | readonly GraphQLError[]): value is readonly GraphQLError[] {
  return Array.isArray(value);
}

function publicResult(
  result: ExecutionResult,
  call: SubgraphCallOptions,
  options: { name: string; logger: Logger },
): SubgraphResult {
  if (!result.errors) return { data: result.data ?? null };
  const errors = result.errors.map((error) => {
    const { requestId } = call.identity;
    if (isUnexpected(error) && !call.signal.aborted) {
      options.logger.error(
        { error: error.originalError ?? error, path: error.path, requestId, subgraph: options.name },
        'a resolver failed',
      );
    }
    return toPublicError(error, requestId).toJSON();
  });
  return { data: result.data ?? null, errors };
}
