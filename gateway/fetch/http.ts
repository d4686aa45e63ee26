import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { SautiError } from '../../platform/errors';
import { MULTIPART_BODY } from '../../platform/identity/call-identity';
import type { SignCall } from '../options';
import { multipartBody, uploadsIn } from './multipart-body';
import { SubgraphError, subgraphOperation, type SubgraphAnswer, type SubgraphCall, type Transport } from './transport';
import { webSocketSubscriptions } from './websocket';

export interface HttpTransportOptions {
  name: string;
  url: string;
  webSocketUrl: string;
  signCall: SignCall | undefined;
  forwardAuthorization: boolean;
  /** Largest answer that is read, in bytes; a larger one is dropped and counts as no answer. */
  maxAnswerBytes: number;
}

/** Connections to one subgraph; a burst beyond them waits its turn instead of opening thousands of sockets. */
const MAX_SOCKETS = 256;

/**
 * Reaches a subgraph by HTTP POST, and by graphql-ws for subscriptions. Built on `node:http` because it gives
 * back-pressure for uploads; it follows no redirect and asks for no compression, so a subgraph cannot send the gateway
 * to another host and an answer cannot unpack to more than its bytes.
 */
export function httpTransport(options: HttpTransportOptions): Transport {
  const url = new URL(options.url);
  const client = url.protocol === 'https:' ? https : http;
  const agent = new client.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });

  const execute = async (call: SubgraphCall): Promise<SubgraphAnswer> => {
    const uploads = uploadsIn(call.variables());
    // JSON has no word for a file: the multipart request writes null where one goes.
    const operations = JSON.stringify({
      query: call.operation.query,
      operationName: call.operation.operationName,
      variables: uploads.variables,
    });
    const body = uploads.files.length > 0 ? multipartBody(operations, uploads.files) : jsonBody(operations);
    const headers: http.OutgoingHttpHeaders = {
      ...body.headers,
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'x-request-id': call.identity.requestId,
      ...authorizationHeader(options, call, uploads.files.length > 0 ? MULTIPART_BODY : operations),
    };
    const send = (): Promise<SubgraphAnswer> =>
      answerOf(client.request(url, { method: 'POST', agent, headers, signal: call.signal }), body.chunks, options);
    try {
      return await send();
    } catch (error) {
      if (call.operation.kind === 'query' && typeof body.chunks === 'string' && isStaleConnection(error)) return send();
      throw error;
    }
  };

  return {
    execute,
    subscribe: webSocketSubscriptions(options),
    ready: (signal) => probe(execute, signal),
    async dispose() {
      agent.destroy();
    },
  };
}

/** What proves who asks: our own signature, or the client's header where the operator said so. */
export function authorizationHeader(
  options: HttpTransportOptions,
  call: SubgraphCall,
  body: string,
): { authorization?: string } {
  if (options.signCall) return { authorization: `Bearer ${options.signCall(options.name, call.identity, body)}` };
  return options.forwardAuthorization && call.authorization ? { authorization: call.authorization } : {};
}

/**
 * A kept connection that the subgraph closed just when it was used again; nothing was answered. Node leaves the repeat
 * to the caller (https://nodejs.org/api/http.html#requestreusedsocket), and it is safe for queries only.
 */
function isStaleConnection(error: unknown): boolean {
  const { cause } = error as { cause?: NodeJS.ErrnoException & { reusedSocket?: boolean } };
  return cause?.code === 'ECONNRESET' && cause.reusedSocket === true;
}

function jsonBody(text: string): { headers: http.OutgoingHttpHeaders; chunks: AsyncIterable<Buffer> | string } {
  return { headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }, chunks: text };
}

async function answerOf(
  request: http.ClientRequest,
  chunks: AsyncIterable<Buffer> | string,
  options: HttpTransportOptions,
): Promise<SubgraphAnswer> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (error) => reject(Object.assign(error, { reusedSocket: request.reusedSocket })));
  });
  let uploadFailure: SautiError | undefined;
  if (typeof chunks === 'string') request.end(chunks);
  else sendStream(request, chunks, (error) => (uploadFailure = error));
  try {
    const response = await answered;
    return parseAnswer(response, await textOf(response, options.maxAnswerBytes), options);
  } catch (error) {
    if (uploadFailure || error instanceof SubgraphError) throw uploadFailure ?? error;
    throw new SubgraphError(
      'SUBGRAPH_UNAVAILABLE',
      `no answer: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    // A subgraph may answer before it has read the whole body; then sending stops, and only the answer counts.
    if (!request.writableFinished) request.destroy();
  }
}

/** Sends with back-pressure. What an upload failed with is reported: it is the client's doing, not the subgraph's. */
function sendStream(
  request: http.ClientRequest,
  chunks: AsyncIterable<Buffer>,
  onFailure: (error: SautiError) => void,
): void {
  async function* watched(): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
    } catch (error) {
      if (error instanceof SautiError) onFailure(error);
      throw error;
    }
  }
  pipeline(watched(), request).catch(() => request.destroy());
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes)
      throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', `answered with more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/**
 * A GraphQL answer may come with a 4xx status (GraphQL over HTTP §6.4); with 5xx it is the failure of a server, and its
 * text is nobody's business. 401 and 403 to a signed call mean that the subgraph does not trust the gateway: told to the
 * client as they are, they would sign a user out.
 */
function parseAnswer(response: IncomingMessage, text: string, options: HttpTransportOptions): SubgraphAnswer {
  const status = response.statusCode ?? 0;
  const untrusted = options.signCall !== undefined && (status === 401 || status === 403);
  if (status < 200 || (status >= 300 && status < 400) || status >= 500 || untrusted) {
    throw new SubgraphError('SUBGRAPH_UNAVAILABLE', `answered with status ${status}`);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', `answered with status ${status} and something that is not JSON`);
  }
  return checkAnswer(answer);
}

/** Takes any value for a GraphQL answer or throws; also used for the payloads of a WebSocket. */
export function checkAnswer(answer: unknown): SubgraphAnswer {
  if (typeof answer !== 'object' || answer === null || !('data' in answer || 'errors' in answer)) {
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with something that is no GraphQL result');
  }
  const { data, errors } = answer as SubgraphAnswer;
  if (errors !== undefined && errors !== null && !Array.isArray(errors))
    throw new SubgraphError('SUBGRAPH_BAD_RESPONSE', 'answered with errors that are no list');
  return { data, ...(errors && errors.length > 0 ? { errors } : {}) };
}

async function probe(execute: (call: SubgraphCall) => Promise<SubgraphAnswer>, signal: AbortSignal): Promise<void> {
  await execute({
    operation: subgraphOperation('{ __typename }', undefined, 'query'),
    variablesText: () => '{}',
    variables: () => ({}),
    hasUploads: false,
    headers: undefined,
    identity: { viewer: null, requestId: 'readiness' },
    authorization: undefined,
    signal,
  });
}
