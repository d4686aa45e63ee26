import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { GatewayGraphQLRequestContext, GatewayInterface } from '@apollo/server-gateway-interface';
import { getOperationAST, GraphQLError, type GraphQLSchema } from 'graphql';
import type { Logger } from '../../platform/logger';
import { isIncremental } from '../engine';
import type { Generation } from '../generation';
import { resultOf, type Caller, type Result } from '../execute/execution';
import { sandboxPage } from '../explorer/sandbox';
import { limitRules, parseOptions, type OperationLimits } from '../limits';
import { documentStore, plainJsonStatus, quietPlugins, textualHashes } from './apollo-parts';
import type { ContentTypes } from './content-types';
import type { GatewayLimits } from '../options';
import { formatError } from './format-error';

export interface ApolloOptions {
  /** The generation to start with. */
  generation: Generation;
  contentTypes: ContentTypes;
  /** Plugins of the host beside our own. */
  plugins: readonly ApolloServerPlugin<Caller>[];
  limits: Pick<GatewayLimits, keyof OperationLimits | 'planCacheSize'>;
  development: boolean;
  /** Whether clients may ask for the schema. */
  introspection: boolean;
  logger: Logger;
}

export interface RunningApollo {
  server: ApolloServer<Caller>;
  /** Answers by another generation from now on. */
  update(next: Generation): void;
}

/**
 * Apollo Server as the HTTP side knows it: request format, CSRF prevention, validation, plugins and landing page are
 * its own; what it would execute goes to our engine. Reports nothing to Apollo, whatever the environment says.
 */
export async function startApolloServer(options: ApolloOptions): Promise<RunningApollo> {
  const { development, introspection, limits, logger, generation, contentTypes } = options;
  const gateway = new GenerationGateway(generation, contentTypes);
  const server = new ApolloServer<Caller>({
    gateway,
    logger: apolloLogger(logger),
    nodeEnv: development ? 'development' : 'production',
    introspection: true, // where it is off, our own rule says so, in the same words on every transport
    hideSchemaDetailsFromClientErrors: !development,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    csrfPrevention: true,
    parseOptions: parseOptions(limits),
    documentStore: documentStore(limits.planCacheSize),
    validationRules: limitRules(limits, { introspection }),
    formatError,
    plugins: [
      ...options.plugins,
      plainJsonStatus(contentTypes),
      textualHashes(),
      ...quietPlugins(),
      development ? sandboxPage() : ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await server.start();
  return { server, update: (next) => gateway.update(next) };
}

/** Our generations behind the interface Apollo Server has for gateways. */
class GenerationGateway implements GatewayInterface {
  private announce: (() => void) | undefined;
  /** A request is executed by the generation whose schema it was validated against, also while that changes. */
  private readonly generations = new WeakMap<GraphQLSchema, Generation>();

  constructor(
    private current: Generation,
    private readonly contentTypes: ContentTypes,
  ) {
    this.generations.set(current.supergraph.apiSchema, current);
  }

  update(next: Generation): void {
    this.current = next;
    this.generations.set(next.supergraph.apiSchema, next);
    this.announce?.();
  }

  onSchemaLoadOrUpdate(
    callback: Parameters<NonNullable<GatewayInterface['onSchemaLoadOrUpdate']>>[0],
  ): ReturnType<NonNullable<GatewayInterface['onSchemaLoadOrUpdate']>> {
    this.announce = () => {
      const { apiSchema, sdl } = this.current.supergraph;
      callback({ apiSchema, coreSupergraphSdl: sdl });
    };
    return () => (this.announce = undefined);
  }

  async load(): ReturnType<GatewayInterface['load']> {
    this.announce?.();
    return {
      executor: async (request) => {
        const context = request as unknown as GatewayGraphQLRequestContext<Caller>;
        // Apollo Server finds out that no answer is acceptable when it has one; then a mutation would have happened.
        if (!this.contentTypes(context.context.headers?.accept)) return refuse('No answer would be acceptable.', 406);
        return run(this.generations.get(context.schema) ?? this.current, context);
      },
    };
  }

  async stop(): Promise<void> {}
}

async function run(
  { engine, documents, admission }: Generation,
  request: GatewayGraphQLRequestContext<Caller>,
): Promise<Result> {
  documents.add(request.source, request.document);
  const operation = getOperationAST(request.document, request.request.operationName);
  if (!operation) return refuse(unknownOperation(request.request.operationName));
  const inputs = request.request.variables ?? {};
  const caller = request.context;
  const refusal = await admission?.admit({ document: request.document, operation }, inputs, caller.identity);
  if (refusal) return { errors: [refusal] };
  const prepared = await engine.prepare(
    { source: request.source, document: request.document, operation },
    inputs,
    caller,
  );
  if ('errors' in prepared) return prepared;
  if (isIncremental(prepared)) return refuse(NOT_INCREMENTAL, 406);
  return resultOf(await engine.execute(prepared, caller));
}

const NOT_INCREMENTAL =
  'An operation with @defer is answered in parts: send the header "Accept: multipart/mixed;deferSpec=20220824, application/json".';

/** Errors without data. */
function refuse(message: string, status = 400): Result {
  return { errors: [new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status } } })] };
}

/** Why a document has no operation to run; also used on WebSockets. */
export function unknownOperation(name: string | null | undefined): string {
  return name
    ? 'The document has no operation of the name that "operationName" says.'
    : 'Must provide operation name if query contains multiple operations.';
}

function apolloLogger(logger: Logger): { [level in 'debug' | 'info' | 'warn' | 'error']: (message?: unknown) => void } {
  const log = (level: 'debug' | 'info' | 'warn' | 'error') => (message?: unknown) =>
    logger[level]({ from: 'apollo server' }, String(message));
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
