import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { GatewayGraphQLRequestContext, GatewayInterface } from '@apollo/server-gateway-interface';
import { getOperationAST, GraphQLError } from 'graphql';
import type { Logger } from '../../platform/logger';
import type { Documents } from '../documents/documents';
import { isIncremental, type Engine } from '../engine';
import { resultOf, type Caller, type Result } from '../execute/execution';
import { sandboxPage } from '../explorer/sandbox';
import { limitRules, parseOptions, type OperationLimits } from '../limits';
import type { LoadedSupergraph } from '../supergraph/supergraph';
import { formatError } from './format-error';

export interface ApolloOptions {
  supergraph: LoadedSupergraph;
  engine: Engine;
  /** Learns which documents Apollo Server found valid. */
  documents: Documents;
  limits: OperationLimits;
  development: boolean;
  /** Whether clients may ask for the schema. */
  introspection: boolean;
  logger: Logger;
}

/**
 * Apollo Server as the HTTP side knows it: request format, CSRF prevention, validation, plugins and landing page are
 * its own; what it would execute goes to our engine. Reports nothing to Apollo, whatever the environment says.
 */
export function createApolloServer(options: ApolloOptions): ApolloServer<Caller> {
  const { development, introspection, limits, logger } = options;
  return new ApolloServer<Caller>({
    gateway: engineGateway(options),
    logger: apolloLogger(logger),
    nodeEnv: development ? 'development' : 'production',
    introspection: true, // where it is off, our own rule says so, in the same words on every transport
    hideSchemaDetailsFromClientErrors: !development,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    csrfPrevention: true,
    parseOptions: parseOptions(limits),
    validationRules: limitRules(limits, { introspection }),
    formatError,
    plugins: [...quietPlugins(), development ? sandboxPage() : ApolloServerPluginLandingPageDisabled()],
  });
}

function quietPlugins(): ApolloServerPlugin[] {
  return [
    ApolloServerPluginUsageReportingDisabled(),
    ApolloServerPluginSchemaReportingDisabled(),
    ApolloServerPluginInlineTraceDisabled(),
    ApolloServerPluginCacheControlDisabled(),
  ];
}

/** Our supergraph and engine behind the interface Apollo Server has for gateways. */
function engineGateway({ supergraph, engine, documents }: ApolloOptions): GatewayInterface {
  let announce: (() => void) | undefined;
  return {
    onSchemaLoadOrUpdate(callback) {
      announce = () => callback({ apiSchema: supergraph.apiSchema, coreSupergraphSdl: supergraph.sdl });
      return () => (announce = undefined);
    },
    async load() {
      announce?.();
      return {
        executor: (request) => run({ engine, documents }, request as unknown as GatewayGraphQLRequestContext<Caller>),
      };
    },
    async stop() {},
  };
}

async function run(
  { engine, documents }: Pick<ApolloOptions, 'engine' | 'documents'>,
  request: GatewayGraphQLRequestContext<Caller>,
): Promise<Result> {
  documents.add(request.source, request.document);
  const operation = getOperationAST(request.document, request.request.operationName);
  if (!operation) return refuse(unknownOperation(request.request.operationName));
  const inputs = request.request.variables ?? {};
  const caller = request.context;
  const prepared = await engine.prepare(
    { source: request.source, document: request.document, operation },
    inputs,
    caller.identity.requestId,
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
    ? `Unknown operation named "${name.slice(0, 100)}".`
    : 'Must provide operation name if query contains multiple operations.';
}

function apolloLogger(logger: Logger): { [level in 'debug' | 'info' | 'warn' | 'error']: (message?: unknown) => void } {
  const log = (level: 'debug' | 'info' | 'warn' | 'error') => (message?: unknown) =>
    logger[level]({ from: 'apollo server' }, String(message));
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
