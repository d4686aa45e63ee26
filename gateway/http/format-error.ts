import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** Codes of Apollo Server that have a plain word of ours. */
const CODES: Record<string, string> = { INTERNAL_SERVER_ERROR: 'INTERNAL' };

/** Errors of an execution as a client may see them. */
export function formatErrors(errors: readonly GraphQLError[]): GraphQLFormattedError[] {
  return errors.map((error) => formatError(error.toJSON(), error));
}

/**
 * An error as a client may see it, by allow-list: message, path, locations, code and request id. Everything else that
 * may hang on an error (stacks, addresses, whole answers of subgraphs) stays behind. The message of an error nobody
 * meant for clients is replaced.
 */
export function formatError(formatted: GraphQLFormattedError, error?: unknown): GraphQLFormattedError {
  const { requestId } = formatted.extensions ?? {};
  const original = error instanceof GraphQLError ? error.originalError : error;
  // Apollo Server gives every validation error its own code; those of our limits say more.
  const code = (original instanceof GraphQLError && original.extensions['code']) || formatted.extensions?.['code'];
  const isUnmeant =
    original instanceof Error &&
    !(original instanceof GraphQLError) &&
    (code === undefined || code === 'INTERNAL_SERVER_ERROR');
  return {
    message: isUnmeant ? 'Something went wrong on our side.' : formatted.message,
    ...(formatted.locations ? { locations: formatted.locations } : {}),
    ...(formatted.path ? { path: formatted.path } : {}),
    extensions: {
      code: typeof code === 'string' ? (CODES[code] ?? code) : 'INTERNAL',
      ...(typeof requestId === 'string' ? { requestId } : {}),
    },
  };
}
