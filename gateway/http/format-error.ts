import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** Codes of Apollo Server that have a plain word of ours. */
const CODES: ReadonlyMap<string, string> = new Map([['INTERNAL_SERVER_ERROR', 'INTERNAL']]);

/** Of a document that the parser gives up on without saying where. */
export const UNREADABLE_DOCUMENT = 'The document cannot be read.';

/** Errors of an execution as a client may see them. */
export function formatErrors(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
  return errors.map((error) => formatError(error.toJSON(), error));
}

/**
 * An error as a client may see it, by allow-list: message, path, locations, code, request id and when to try again. Everything else that
 * may hang on an error (stacks, addresses, whole answers of subgraphs) stays behind. The message of an error nobody
 * meant for clients is replaced.
 */
export function formatError(formatted: GraphQLFormattedError, error?: unknown): GraphQLFormattedError {
  const { requestId, retryAfterMs } = formatted.extensions ?? {};
  const original = error instanceof GraphQLError ? error.originalError : error;
  // Apollo Server gives every validation error its own code; those of our limits say more.
  const code =
    (original instanceof GraphQLError && original.extensions['code']) ||
    (isRefusal(error) ? 'BAD_REQUEST' : formatted.extensions?.['code']);
  const isUnmeant =
    original instanceof Error &&
    !(original instanceof GraphQLError) &&
    (code === undefined || code === 'INTERNAL_SERVER_ERROR');
  // The parser gives up on deep nesting when the stack is full, and says so in the engine's words.
  const isUnreadable = code === 'GRAPHQL_PARSE_FAILED' && original instanceof GraphQLError && original.originalError;
  return {
    message: isUnmeant ? 'Something went wrong on our side.' : isUnreadable ? UNREADABLE_DOCUMENT : formatted.message,
    ...(formatted.locations ? { locations: formatted.locations } : {}),
    ...(formatted.path ? { path: formatted.path } : {}),
    extensions: {
      code: typeof code === 'string' ? (CODES.get(code) ?? code) : 'INTERNAL',
      ...(typeof requestId === 'string' ? { requestId } : {}),
      ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    },
  };
}

/** Whether it is an error of Apollo Server that has a status for the client's mistakes and no code: those of persisted queries. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof GraphQLError) || error.extensions['code'] !== undefined) return false;
  const { status } = (error.extensions['http'] ?? {}) as { status?: number };
  return status !== undefined && status >= 400 && status < 500;
}
