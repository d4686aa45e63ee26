import type { Client } from 'graphql-ws';
import { resume } from '../resume';

/**
 * A client of graphql-ws whose subscriptions go on where they were when the socket is lost, for libraries that call
 * `subscribe`. Send queries and mutations over HTTP: a mutation that got no answer must not be sent again.
 */
export function resuming(client: Client, options: { retryAttempts?: number } = {}): Client {
  return {
    ...client,
    subscribe(payload, sink) {
      const results = resume(client, payload, options);
      const read = async (): Promise<void> => {
        for await (const result of results) sink.next(result as Parameters<typeof sink.next>[0]);
      };
      read().then(
        () => sink.complete(),
        (error: unknown) => sink.error(error),
      );
      return () => void results.return();
    },
  };
}
