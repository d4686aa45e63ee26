import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteRoute } from '../../../../platform/subgraph/subgraph';
import { admit, bearerToken, sessionIn, type Admitted } from './admission';
import { AudioBody } from './body';
import type { LiveIngestParts } from './live-ingest';
import { NO_TOKEN, outcomeOf, type Outcome } from './outcome';
import type { Stored } from './audio-store';

const METHODS = 'PUT, POST';
/** Sent with every answer: a page of any origin may use a token it was given. The all-in-one gateway asks for more. */
const CORS_HEADERS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after' };
const PREFLIGHT_HEADERS = {
  ...CORS_HEADERS,
  'access-control-allow-methods': METHODS,
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': '600',
};

/**
 * `PUT|POST /live/<session>`: the body is the audio, as it comes; its end is the end of the session unless the query says
 * `end=false`. A connection that breaks ends nothing. Answers how far the session has got.
 */
export function httpRoute(parts: LiveIngestParts): ByteRoute {
  return (request, response, url) => {
    const sessionId = sessionIn(url);
    if (sessionId === null) return false;
    receive(parts, request, response, sessionId, url.searchParams.get('end') !== 'false').catch((error: unknown) =>
      refuse(parts, response, error, null),
    );
    return true;
  };
}

async function receive(
  parts: LiveIngestParts,
  request: IncomingMessage,
  response: ServerResponse,
  sessionId: string,
  endsSession: boolean,
): Promise<void> {
  if (request.method === 'OPTIONS') return void response.writeHead(204, PREFLIGHT_HEADERS).end();
  if (request.method !== 'PUT' && request.method !== 'POST') {
    response.setHeader('allow', `${METHODS}, OPTIONS`);
    const problem = { code: 'BAD_REQUEST', message: `Audio is sent here with ${METHODS}.` };
    return answerError(response, { status: 405, problem }, null);
  }
  const { refusal } = parts.writers;
  if (refusal) return answerError(response, refusal, null);
  const token = bearerToken(request.headers.authorization);
  const admitted = token === null ? null : await admit(parts, sessionId, token);
  if (!admitted) return answerError(response, NO_TOKEN, null);
  await receiveBody(parts, request, response, admitted, endsSession);
}

async function receiveBody(
  parts: LiveIngestParts,
  request: IncomingMessage,
  response: ServerResponse,
  admitted: Admitted,
  endsSession: boolean,
): Promise<void> {
  const body = new AudioBody(parts, request, admitted, endsSession);
  try {
    answer(response, 200, await body.begin());
  } catch (error) {
    refuse(parts, response, error, body.last);
  }
}

function refuse(parts: LiveIngestParts, response: ServerResponse, error: unknown, stored: Stored | null): void {
  if (response.destroyed) return; // the writer has left; what it sent is stored
  const outcome = outcomeOf(error);
  if (outcome.isMasked) parts.logger.error({ error }, 'live audio was not stored');
  answerError(response, outcome, stored);
}

/** With how far the session has got, so that the writer knows where to go on. */
function answerError(
  response: ServerResponse,
  { status, problem }: Pick<Outcome, 'status' | 'problem'>,
  stored: Stored | null,
): void {
  const { message, expectedSequence: _ofSockets, ...extensions } = problem;
  if (problem.retryAfterMs !== undefined) {
    response.setHeader('retry-after', Math.ceil(problem.retryAfterMs / 1_000));
  }
  const reached = stored && { acknowledgedSequence: stored.acknowledgedSequence, storedBytes: stored.storedBytes };
  send(response, status, { errors: [{ message, extensions: { ...extensions, ...reached } }] });
}

function answer(response: ServerResponse, status: number, stored: Stored): void {
  const { acknowledgedSequence, storedBytes, state } = stored;
  send(response, status, { acknowledgedSequence, storedBytes, state });
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...CORS_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
