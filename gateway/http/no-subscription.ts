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

const THREE_WAYS =
  'A subscription is answered by a stream of events: send "Accept: text/event-stream" (GraphQL over SSE), or "Accept: multipart/mixed;subscriptionSpec=1.0", or use a WebSocket with the subprotocol graphql-transport-ws on this same path.';

/**
 * Throws an `HttpError` for a subscription of a client that takes no stream, before Apollo Server sees it: 400, or 406
 * when it would not take the JSON of that answer either (`takesJson`). That is also for a subscription beside the
 * query that is asked for when graphql-js cannot check it: its rule for the root field of subscriptions throws if that
 * field has a condition with a variable, which would be a 500. What is no document at all is left to Apollo Server.
 */
export function refuseSubscription(
  schema: GraphQLSchema,
  limits: OperationLimits,
  body: unknown,
  takesJson: boolean,
): void {
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
  throw new HttpError(takesJson ? 400 : 406, 'BAD_REQUEST', THREE_WAYS);
}

function canBeChecked(schema: GraphQLSchema, document: DocumentNode): boolean {
  try {
    validate(schema, document, [SingleFieldSubscriptionsRule]);
    return true;
  } catch {
    return false;
  }
}
