import { openAsBlob } from 'node:fs';
import path from 'node:path';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print, type GraphQLFormattedError } from 'graphql';
import type { Client } from 'graphql-ws';
import WebSocket from 'ws';
import { LiveAudio, LiveAudioError, type LiveAudioOptions, type LivePlace } from './live-audio';
import { LiveSessionDocument, RefreshSessionDocument } from './operations.generated';
import { createResumingClient, isPassing, resume, type StreamResult } from './resume';
import { nobodyListens, untilAnswered } from './retry';
import { Session, type Tokens } from './session';

/** How often in a row a subscription is tried before it fails: about two minutes. */
const RETRY_ATTEMPTS = 12;

/** The endpoint answered with errors; `errors` is what it said. */
export class GraphQLRequestError extends Error {
  constructor(
    readonly errors: NonNullable<StreamResult['errors']>,
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
  /** Answers the token for a call, another one when the last was refused or is about to expire. */
  private token: (mustBeNew?: boolean) => string | undefined | Promise<string> = () => undefined;

  private canRenew = false;

  /** `endpoint` is e.g. `http://localhost:4000/graphql`. */
  constructor(readonly endpoint: string) {}

  /** Used for every later request, and for the socket when it is opened. Subscriptions fail when it ends. */
  useAccessToken(token: string | undefined): void {
    this.canRenew = false;
    this.token = (mustBeNew) => {
      if (mustBeNew) throw new Error('The access token was refused. Sign in again.');
      return token;
    };
  }

  /** As {@link useAccessToken}, and renewed when it ends or is refused. */
  useTokens(tokens: Tokens): void {
    const session = new Session(tokens, (refreshToken) => this.refresh(refreshToken));
    this.canRenew = true;
    this.token = (mustBeNew) => session.accessToken(mustBeNew);
  }

  /** Runs a query or mutation; throws {@link GraphQLRequestError} when the answer has errors. */
  async request<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const body = JSON.stringify({ query: print(document), variables });
    const send = async (mustBeNew = false): Promise<Response> =>
      fetch(this.endpoint, {
        method: 'POST',
        headers: { ...(await this.headers(mustBeNew)), 'content-type': 'application/json' },
        body,
      });
    const response = await send();
    // The rights of the account may have changed: then its tokens are refused before they end. Nothing was executed.
    return this.read(response.status === 401 && this.canRenew ? await send(true) : response);
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
    const headers = { ...(await this.headers()), 'apollo-require-preflight': 'true' };
    return this.read(await fetch(this.endpoint, { method: 'POST', headers, body: form }));
  }

  /**
   * Opens a subscription that goes on where it was when the connection is lost; see {@link resume}. Ends when the server
   * completes it, throws when it fails. `return()` unsubscribes. An event that could not be shown is passed over; `follow`
   * tells of it.
   */
  async *subscribe<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): AsyncGenerator<Data, void, void> {
    for await (const { data, errors, extensions } of this.follow(document, variables)) {
      if (data) yield data;
      else if (errors && !extensions?.cursor) throw new GraphQLRequestError(errors, 200);
    }
  }

  /** The results of such a subscription with everything that the server says about them. */
  follow<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    extensions: { cursor?: string; snapshot?: boolean } = {},
  ): AsyncGenerator<StreamResult<Data>, void, void> {
    const request = { query: print(document), variables, extensions };
    return resume<Data>(this.connection(), request, { retryAttempts: RETRY_ATTEMPTS });
  }

  /** Sends audio to a live session of the viewer; see {@link LiveAudio}. */
  liveAudio(sessionId: string, options: Omit<LiveAudioOptions, 'place' | 'webSocketImpl'> = {}): LiveAudio {
    return new LiveAudio({ ...options, place: () => this.livePlace(sessionId), webSocketImpl: WebSocket });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket?.dispose();
  }

  /** Throws a {@link LiveAudioError} for what asking again does not help against. */
  private async livePlace(id: string): Promise<LivePlace> {
    try {
      const { liveSession } = await this.request(LiveSessionDocument, { id });
      if (liveSession) return liveSession;
    } catch (error) {
      if (nobodyListens(error)) throw new Error(`Nothing answers at ${this.endpoint}.`, { cause: error });
      if (!(error instanceof GraphQLRequestError) || error.status >= 500 || isPassing(error)) throw error;
      throw new LiveAudioError(String(error.errors[0]?.extensions?.['code']), error.message, { cause: error });
    }
    throw new LiveAudioError('NOT_FOUND', `There is no live session ${id}.`);
  }

  private async headers(mustBeNew = false): Promise<Record<string, string>> {
    const token = await this.token(mustBeNew);
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  private async read<Data>(response: Response): Promise<Data> {
    const text = await response.text();
    const result = readResult<Data>(text);
    if (!result)
      throw new GraphQLRequestError([{ message: `The answer has status ${response.status}.` }], response.status);
    if (result.errors?.length) throw new GraphQLRequestError(result.errors, response.status);
    return result.data as Data;
  }

  private connection(): Client {
    this.socket ??= createResumingClient({
      url: this.endpoint.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      token: (mustBeNew) => this.token(mustBeNew),
      retryAttempts: RETRY_ATTEMPTS,
    });
    return this.socket;
  }

  /** Asked without the old access token, which would be refused. May be repeated: the same pair is answered for 10 s. */
  private async refresh(refreshToken: string): Promise<Tokens> {
    const anonymous = new SautiClient(this.endpoint);
    const { refreshSession } = await untilAnswered(() =>
      anonymous.request(RefreshSessionDocument, { input: { refreshToken } }),
    );
    if (!refreshSession.tokens) throw new Error(refreshSession.errors.map(({ message }) => message).join('\n'));
    return refreshSession.tokens;
  }
}

/** Null for what is no answer of a GraphQL server, such as a proxy's error page. */
function readResult<Data>(text: string): { data?: Data; errors?: GraphQLFormattedError[] } | null {
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}

/** `Sign in first. (UNAUTHENTICATED)` */
function describe({ message, extensions }: NonNullable<StreamResult['errors']>[number]): string {
  const code = extensions?.['code'];
  return typeof code === 'string' ? `${message} (${code})` : message;
}
