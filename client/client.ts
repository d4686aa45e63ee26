import { openAsBlob } from 'node:fs';
import path from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print, type GraphQLFormattedError } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import WebSocket from 'ws';

/** The endpoint answered with errors; `errors` is what it said. */
export class GraphQLRequestError extends Error {
  constructor(
    readonly errors: readonly GraphQLFormattedError[],
    readonly status: number,
  ) {
    super(errors.map(describe).join('\n'));
    this.name = 'GraphQLRequestError';
  }
}

/**
 * A client of the public endpoint, as an app would write it: queries and mutations over HTTP, files in GraphQL multipart
 * requests, subscriptions over graphql-transport-ws on the same address. The demo and the end-to-end tests use it.
 */
export class SautiClient implements AsyncDisposable {
  private socket: Client | undefined;
  private accessToken: string | undefined;

  /** `endpoint` is e.g. `http://localhost:4000/graphql`. */
  constructor(readonly endpoint: string) {}

  /** Used for every later request, and for the socket when it is opened. */
  useAccessToken(token: string | undefined): void {
    this.accessToken = token;
  }

  /** Runs a query or mutation; throws {@link GraphQLRequestError} when the answer has errors. */
  async request<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const body = JSON.stringify({ query: print(document), variables });
    return this.read(
      await fetch(this.endpoint, {
        method: 'POST',
        headers: { ...this.headers(), 'content-type': 'application/json' },
        body,
      }),
    );
  }

  /**
   * Runs a mutation that carries one file at `variablePath`, e.g. `input.upload` (GraphQL multipart request
   * specification). The file is read from disk while it is sent.
   */
  async upload<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    file: { at: string; path: string; name?: string },
  ): Promise<Data> {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: print(document), variables }));
    form.set('map', JSON.stringify({ file: [`variables.${file.at}`] }));
    form.set('file', await openAsBlob(file.path), file.name ?? path.basename(file.path));
    // The header makes browsers ask first, which is how the endpoint knows that no foreign page sent the form.
    const headers = { ...this.headers(), 'apollo-require-preflight': 'true' };
    return this.read(await fetch(this.endpoint, { method: 'POST', headers, body: form }));
  }

  /** Opens a subscription; ends when the server completes it, throws when it fails. `return()` unsubscribes. */
  async *subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): AsyncGenerator<Data, void, void> {
    for await (const result of this.connection().iterate<Data>({ query: print(document), variables })) {
      if (result.errors) throw new GraphQLRequestError(result.errors, 200);
      yield result.data as Data;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket?.dispose();
  }

  private headers(): Record<string, string> {
    return this.accessToken ? { authorization: `Bearer ${this.accessToken}` } : {};
  }

  private async read<Data>(response: Response): Promise<Data> {
    const result = (await response.json()) as { data?: Data; errors?: GraphQLFormattedError[] };
    if (result.errors?.length) throw new GraphQLRequestError(result.errors, response.status);
    return result.data as Data;
  }

  private connection(): Client {
    this.socket ??= createClient({
      url: this.endpoint.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: () => this.headers(),
      lazyCloseTimeout: 100,
    });
    return this.socket;
  }
}

/** `Sign in first. (UNAUTHENTICATED)` */
function describe({ message, extensions }: GraphQLFormattedError): string {
  const code = extensions?.['code'];
  return typeof code === 'string' ? `${message} (${code})` : message;
}
