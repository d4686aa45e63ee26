import {
  getOperationAST,
  OperationTypeNode,
  parse,
  SingleFieldSubscriptionsRule,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { parseOptions, type OperationLimits } from '../limits';
import { HttpError } from './responses';

/**
 * Throws an `HttpError` for a subscription, before Apollo Server sees it. That is also for a subscription beside the
 * query that is asked for when graphql-js cannot check it: its rule for the root field of subscriptions throws if that
 * field has a condition with a variable, which would be a 500. What is no document at all is left to Apollo Server.
 */
export function refuseSubscription(schema: GraphQLSchema, limits: OperationLimits, body: unknown): void {
  const { query, operationName } = (body ?? {}) as { query?: unknown; operationName?: unknown };
  if (typeof query !== 'string' || !/\bsubscription\b/.test(query)) return;
  let document: DocumentNode;
  try {
    document = parse(query, parseOptions(limits));
  } catch {
    return;
  }
  const operation = getOperationAST(document, typeof operationName === 'string' ? operationName : undefined);
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION && canBeChecked(schema, document)) return;
  throw new HttpError(
    400,
    'BAD_REQUEST',
    'Subscriptions need a WebSocket with the subprotocol graphql-transport-ws on this same path.',
  );
}

function canBeChecked(schema: GraphQLSchema, document: DocumentNode): boolean {
  try {
    validate(schema, document, [SingleFieldSubscriptionsRule]);
    return true;
  } catch {
    return false;
  }
}
