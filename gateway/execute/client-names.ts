import { GraphQLError, Kind, visit, type DocumentNode } from 'graphql';
import type { PlannedOperation, Result } from './execution';

/** A result with the response names the client chose. */
export function withClientNames(result: Result, { clientNames }: PlannedOperation): Result {
  const nameOf = (key: string): string => clientNames.get(key) ?? key;
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== FILLER)
        .map(([key, inside]) => [nameOf(key), rename(inside)]),
    );
  };
  return {
    ...result,
    ...(result.data ? { data: rename(result.data) as typeof result.data } : {}),
    ...(result.errors
      ? {
          errors: result.errors.map(
            (error) =>
              new GraphQLError(error.message, {
                ...(error.path ? { path: error.path.map((key) => (typeof key === 'string' ? nameOf(key) : key)) } : {}),
                extensions: error.extensions,
              }),
          ),
        }
      : {}),
  };
}

const FILLER = 'client_nothing';

/** The document with something to select where conditions left nothing. */
export function filled(document: DocumentNode): DocumentNode {
  return visit(document, {
    SelectionSet: (node) =>
      node.selections.length > 0
        ? undefined
        : {
            ...node,
            selections: [
              {
                kind: Kind.FIELD,
                alias: { kind: Kind.NAME, value: FILLER },
                name: { kind: Kind.NAME, value: '__typename' },
              },
            ],
          },
  });
}
