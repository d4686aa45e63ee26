import { getOperationAST, parse, type OperationTypeNode } from 'graphql';
import { parseOptions } from '../../limits';
import type { StreamServices } from './services';

/** The kind of operation that would run; undefined when there is none, or no telling. */
export function operationType(
  { current, limits }: Pick<StreamServices, 'current' | 'limits'>,
  { query, operationName }: { query?: unknown; operationName?: unknown },
): OperationTypeNode | undefined {
  if (typeof query !== 'string') return undefined;
  const name = typeof operationName === 'string' && operationName !== '' ? operationName : undefined;
  try {
    const document = current().documents.known(query) ?? parse(query, parseOptions(limits));
    return getOperationAST(document, name)?.operation;
  } catch {
    return undefined;
  }
}
