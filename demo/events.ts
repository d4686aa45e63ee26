import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { GraphQLRequestError, type SautiClient } from '../client/client';

/**
 * The events of a subscription, as `client.subscribe` has them; why a part of one is missing is told by `tell`, each reason
 * once. Throws GraphQLRequestError when the subscription fails.
 */
export async function* eventsOf<Data, Variables extends Record<string, unknown>>(
  client: SautiClient,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  tell: (reason: string) => void,
): AsyncGenerator<Data, void, void> {
  const told = new Set<string>();
  for await (const { data, errors = [], extensions } of client.follow(document, variables)) {
    if (!data && errors.length > 0 && !extensions?.cursor) throw new GraphQLRequestError(errors, 200);
    for (const { message } of errors) {
      if (!told.has(message)) tell(message);
      told.add(message);
    }
    if (data) yield data;
  }
}
