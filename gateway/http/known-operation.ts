import { getOperationAST, OperationTypeNode } from 'graphql';
import type { Documents } from '../documents/documents';
import type { OperationRequest } from '../plan/planner';

/** A query or mutation of a document that is known to be valid, with its inputs. */
export interface KnownOperation {
  request: OperationRequest;
  inputs: Record<string, unknown>;
}

/**
 * Finds the operation of a well-formed JSON body whose document is known. Undefined for everything else: Apollo Server
 * decides what that is, and says what is wrong with it.
 */
export function knownOperation(documents: Documents, body: unknown): KnownOperation | undefined {
  if (typeof body !== 'object' || body === null || 'extensions' in body) return undefined;
  const { query, operationName, variables } = body as Record<string, unknown>;
  if (typeof query !== 'string' || !isMissingOr('string', operationName) || !isMissingOr('object', variables))
    return undefined;
  if (Array.isArray(variables)) return undefined;
  const document = documents.known(query);
  const operation = document && getOperationAST(document, operationName as string | null | undefined);
  if (!operation || operation.operation === OperationTypeNode.SUBSCRIPTION) return undefined;
  return { request: { source: query, document, operation }, inputs: (variables ?? {}) as Record<string, unknown> };
}

function isMissingOr(type: 'string' | 'object', value: unknown): boolean {
  return value === undefined || value === null || typeof value === type;
}
