import { GraphQLError, Kind } from 'graphql';

/**
 * Codes of `extensions.code` on top-level GraphQL errors. Business problems of a mutation are not here: they travel
 * as `UserError` in the payload.
 */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'BAD_USER_INPUT'
  | 'NOT_FOUND'
  | 'TIMEOUT'
  | 'ENGINE_UNAVAILABLE'
  | 'LANGUAGE_PAIR_UNSUPPORTED'
  | 'SUBGRAPH_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'INTERNAL';

/**
 * An expected failure whose message may be shown to the caller.
 * `message` names what must hold and what arrived; `cause` keeps the original error for the log.
 */
export class SautiError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'SautiError';
  }
}

/** The problem a mutation reports inside its payload; the shape of `UserError` in every schema. */
export interface UserProblem<Code extends string = string> {
  code: Code;
  message: string;
  path?: string[];
  retryAfterMs?: number;
}

/** Thrown by a rule, turned into `errors: [UserError!]!` by {@link asPayload}. */
export class UserProblemError<Code extends string = string> extends Error {
  readonly problem: UserProblem<Code>;
  constructor(problem: UserProblem<Code>, options?: { cause?: unknown }) {
    super(problem.message, options);
    this.name = 'UserProblemError';
    this.problem = problem;
  }
}

/** Runs a rule and answers its result, or the problem it threw as a payload with `errors`; anything else is rethrown. */
export async function asPayload<Result extends object, Code extends string>(
  run: () => Promise<Result>,
  empty: { [Key in keyof Result]: Result[Key] | null },
): Promise<{ [Key in keyof Result]: Result[Key] | null } & { errors: UserProblem<Code>[] }> {
  try {
    return { ...(await run()), errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { ...empty, errors: [error.problem as UserProblem<Code>] };
    throw error;
  }
}

/** True for the errors a PostgreSQL that is down, restarting or out of connections causes (SQLSTATE classes 08, 53, 57). */
export function isDatabaseUnavailable(error: unknown): boolean {
  // Prisma's driver adapter wraps what PostgreSQL said in plain objects, so a cause need not be an Error.
  for (let current: unknown = error; typeof current === 'object' && current !== null;) {
    const { code, originalCode, message, cause } = current as Record<
      'code' | 'originalCode' | 'message' | 'cause',
      unknown
    >;
    const text = [code, originalCode, message].filter((part) => typeof part === 'string').join(' ');
    if (/\b(ECONNREFUSED|ECONNRESET|EPIPE|57P0[1-4]|53300|08\d{3}|P1001|P1002|P1008|P1017|P2024|P2028)\b/.test(text))
      return true;
    if (
      /Connection terminated|Can't reach database server|server closed the connection|Client has encountered a connection error|timeout exceeded when trying to connect/i.test(
        text,
      )
    )
      return true;
    current = cause;
  }
  return false;
}

/** The GraphQL error a caller may see for any thrown value; unexpected ones are masked and carry the request id. */
export function toPublicError(error: unknown, requestId: string): GraphQLError {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  const position = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {};
  if (original instanceof SautiError) {
    return new GraphQLError(original.message, { ...position, extensions: { code: original.code } });
  }
  if (original instanceof UserProblemError) {
    return new GraphQLError(original.message, { ...position, extensions: { code: original.problem.code } });
  }
  if (original instanceof GraphQLError && !isFaultyResult(error, original)) {
    return new GraphQLError(original.message, {
      ...position,
      extensions: { code: 'BAD_USER_INPUT', ...original.extensions },
    });
  }
  if (isDatabaseUnavailable(original)) {
    return new GraphQLError(
      'The database cannot be reached at the moment. Nothing was changed; try again in a few seconds.',
      {
        ...position,
        extensions: { code: 'DATABASE_UNAVAILABLE', requestId },
      },
    );
  }
  return new GraphQLError(`Something went wrong on our side. Quote request ${requestId} when you report it.`, {
    ...position,
    extensions: { code: 'INTERNAL', requestId },
  });
}

/** True when {@link toPublicError} would hide the error, i.e. when it must be logged with its cause. */
export function isUnexpected(error: unknown): boolean {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (original instanceof GraphQLError) return isFaultyResult(error, original);
  return !(original instanceof SautiError || original instanceof UserProblemError);
}

/**
 * Of the errors that graphql-js itself raises those of parsing, validation and variables have no path, and those of an
 * argument point at its value: both describe the request. What is left is a value from our resolver that does not fit
 * its type. A GraphQLError with a code was thrown by a resolver that knew what it said.
 */
function isFaultyResult(error: unknown, original: GraphQLError): boolean {
  if (!(error instanceof GraphQLError) || !error.path || original.extensions['code'] !== undefined) return false;
  const pointsAtInput = original !== error && original.nodes?.some(({ kind }) => kind !== Kind.FIELD);
  return !pointsAtInput;
}
