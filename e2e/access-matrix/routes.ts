import { randomUUID } from 'node:crypto';
import { aRawSocket, type RawSocket } from '../../gateway/testing/socket-client';
import { MULTIPART_BODY, signCallIdentity } from '../../platform/identity/call-identity';
import type { Viewer } from '../../platform/identity/viewer';
import { anUpload, firstOf } from '../../platform/testing/calls';
import { waitFor } from '../../platform/testing/wait';
import type { SubgraphName } from './places';
import type { World } from './world';

/** The roads by which an operation can arrive. */
export const ROUTES = ['gateway HTTP', 'gateway WebSocket', 'subgraph'] as const;
export type Route = (typeof ROUTES)[number];

export interface Caller {
  viewer: Viewer | null;
  /** Whether its proof has expired: its token at the gateway, the signed call at a subgraph. */
  isExpired: boolean;
}

export interface Operation {
  subgraph: SubgraphName;
  document: string;
  variables: Record<string, unknown>;
  /** Where in the variables a small file has to be. */
  upload?: string | undefined;
}

const HOUR_MS = 3_600_000;

/** Asks by one road, and answers all that came back, as text. */
export class Routes implements AsyncDisposable {
  private readonly sockets = new Map<string, Promise<RawSocket>>();
  private operations = 0;

  constructor(private readonly world: World) {}

  ask(route: Route, caller: Caller, operation: Operation): Promise<string> {
    if (route === 'gateway HTTP') return this.askGateway(caller, operation);
    if (route === 'gateway WebSocket') return this.askSocket(caller, operation);
    return this.askSubgraph(caller, operation);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets.values()) (await socket).socket.terminate();
  }

  private authorizationOf({ viewer, isExpired }: Caller): string | null {
    return viewer && this.world.tokens.of(viewer, isExpired ? Date.now() - HOUR_MS : Date.now());
  }

  private async askGateway(caller: Caller, operation: Operation): Promise<string> {
    const authorization = this.authorizationOf(caller);
    const headers: Record<string, string> = authorization ? { authorization } : {};
    const isStream = operation.document.startsWith('subscription');
    const stop = new AbortController();
    const response = await fetch(`${this.world.gatewayUrl}/graphql`, {
      method: 'POST',
      signal: stop.signal,
      ...(operation.upload
        ? multipart(operation, { ...headers, 'apollo-require-preflight': 'true' })
        : json(operation, { ...headers, ...(isStream ? { accept: 'text/event-stream' } : {}) })),
    });
    const text = isStream ? await firstEventOf(response) : await response.text();
    stop.abort();
    return `${response.status} ${text}`;
  }

  /** One socket for each caller; another would be one more than anybody needs. */
  private async askSocket(caller: Caller, operation: Operation): Promise<string> {
    const authorization = this.authorizationOf(caller);
    if (caller.isExpired) return this.refusedSocket(authorization);
    const key = caller.viewer?.userId ?? 'anonymous';
    const opening =
      this.sockets.get(key) ??
      aRawSocket(`${this.world.gatewayUrl.replace('http', 'ws')}/graphql`, {
        init: authorization ? { authorization } : null,
      });
    this.sockets.set(key, opening);
    const socket = await opening;
    const id = String(++this.operations);
    const { document: query, variables } = operation;
    socket.send({ type: 'subscribe', id, payload: { query, variables } });
    const answer = await waitFor('an answer on the socket', () =>
      socket.messages.find((message) => message.id === id && message.type !== 'ping'),
    );
    socket.send({ type: 'complete', id });
    return JSON.stringify({ ...answer, id: '' });
  }

  private async refusedSocket(authorization: string | null): Promise<string> {
    const socket = await aRawSocket(`${this.world.gatewayUrl.replace('http', 'ws')}/graphql`);
    socket.send({ type: 'connection_init', payload: { authorization } });
    const { code, reason } = await socket.closed;
    return `${code} ${reason}`;
  }

  private async askSubgraph({ viewer, isExpired }: Caller, operation: Operation): Promise<string> {
    const { url, callKey, subgraph } = this.world.subgraphs[operation.subgraph];
    const { document: query, variables, upload } = operation;
    if (query.startsWith('subscription') && !isExpired)
      return JSON.stringify(await firstOf(subgraph, viewer, query, variables));
    if (upload && !isExpired) return JSON.stringify(await inProcess(subgraph, viewer, operation, upload));
    const body = JSON.stringify({ query, variables });
    const identity = { viewer, requestId: randomUUID() };
    const signedAt = new Date(isExpired ? Date.now() - HOUR_MS : Date.now());
    const token = signCallIdentity(callKey, operation.subgraph, identity, upload ? MULTIPART_BODY : body, signedAt);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    });
    return `${response.status} ${await response.text()}`;
  }
}

function inProcess(
  subgraph: World['subgraphs'][SubgraphName]['subgraph'],
  viewer: Viewer | null,
  { document: query, variables }: Operation,
  upload: string,
): Promise<unknown> {
  const withFile = structuredClone(variables) as Record<string, Record<string, unknown>>;
  const [input, field] = upload.split('.') as [string, string];
  withFile[input]![field] = anUpload(new Uint8Array(320));
  const { signal } = new AbortController();
  return subgraph.execute({ query, variables: withFile }, { identity: { viewer, requestId: randomUUID() }, signal });
}

function json(
  { document: query, variables }: Operation,
  headers: Record<string, string>,
): { headers: Record<string, string>; body: string } {
  return {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  };
}

function multipart(
  { document: query, variables, upload }: Operation,
  headers: Record<string, string>,
): { headers: Record<string, string>; body: FormData } {
  const body = new FormData();
  body.set('operations', JSON.stringify({ query, variables }));
  body.set('map', JSON.stringify({ 0: [`variables.${upload!}`] }));
  body.set('0', new Blob([new Uint8Array(320)]), 'chunk');
  return { headers, body };
}

/** What an event stream says first; the whole answer when it is none. */
async function firstEventOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString('utf8');
    const event = /event: (?:next|complete)\n(?:data:.*\n)?/.exec(text);
    if (event) return event[0];
  }
  return text;
}
