import { GraphQLError } from 'graphql';
import type { CompiledOperation } from '../compile/compile-operation';
import type { Payload } from './execute-incrementally';
import type { Answer } from './execution';

type Names = Pick<CompiledOperation, 'clientNames'>;

/** An answer whose errors have paths of the response names the client chose; its data was written with them. */
export function inClientNames<Given extends Answer>(answer: Given, { clientNames }: Names): Given {
  if (clientNames.size === 0 || answer.errors.length === 0) return answer;
  const errors = answer.errors.map(
    ({ message, path, extensions }) =>
      new GraphQLError(message, { ...(path ? { path: named(path, clientNames) } : {}), extensions }),
  );
  return { ...answer, errors };
}

/** The same for a payload of an operation with `@defer`. */
export function payloadInClientNames(payload: Payload, names: Names): Payload {
  if (names.clientNames.size === 0) return payload;
  if (payload.kind === 'initial') return inClientNames(payload, names);
  const parts = payload.parts.map((part) => ({
    ...inClientNames(part, names),
    path: named(part.path, names.clientNames),
  }));
  return { ...payload, parts };
}

function named(path: readonly (string | number)[], names: ReadonlyMap<string, string>): (string | number)[] {
  return path.map((key) => (typeof key === 'string' ? (names.get(key) ?? key) : key));
}
